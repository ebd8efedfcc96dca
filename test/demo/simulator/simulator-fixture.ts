/** A simulated WeChat on a fake clock, and the few calls that most cases begin with. */
import { createSimulator, type SimulatorOptions } from '../../../demo/simulator/simulator.ts'
import { createFakeClock } from '../fake-clock.ts'

/** Answers a delivery: the callback of a case. */
export type Callback = (url: string, init: RequestInit) => Response | Promise<Response>

export const success: Callback = () => new Response('success')

export function setStage(callback: Callback = success, options: SimulatorOptions = {}) {
  const time = createFakeClock()
  const deliveries: { url: URL; body: string; at: number }[] = []
  const simulator = createSimulator({
    callbackUrl: 'https://bind.example/wechat/callback',
    clock: time.clock,
    delay: time.delay,
    async fetch(url, init) {
      deliveries.push({ url: new URL(url), body: String(init.body ?? ''), at: time.clock() })
      return callback(url, init)
    },
    ...options,
  })

  const get = async (path: string) => (await simulator.app.request(`/cgi-bin/${path}`)).json()
  const post = async (path: string, body: unknown) => {
    const init = { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }
    return (await simulator.app.request(`/cgi-bin/${path}`, init)).json()
  }
  const credentials = () => ({
    grant_type: 'client_credential',
    appid: simulator.account.appId,
    secret: simulator.account.appSecret,
  })
  const stableToken = (more = {}) => post('stable_token', { ...credentials(), ...more })
  const classicToken = () => get(`token?${new URLSearchParams(credentials())}`)

  /** A call that bears a token; a fresh one unless it is given. */
  const withToken = async (path: string, token?: string) =>
    `${path}${path.includes('?') ? '&' : '?'}access_token=${token ?? (await stableToken()).access_token}`
  const createQrcode = async (body: unknown, token?: string) => post(await withToken('qrcode/create', token), body)

  /** The url of a temporary QR with this scene. */
  async function showQrcode(scene = 'wb1_one', expire_seconds = 120): Promise<string> {
    const action_info = { scene: { scene_str: scene } }
    return (await createQrcode({ expire_seconds, action_name: 'QR_STR_SCENE', action_info })).url
  }

  return { simulator, time, deliveries, get, post, stableToken, classicToken, withToken, createQrcode, showQrcode }
}
