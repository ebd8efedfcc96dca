/** A simulated WeChat with a fake clock, and functions that call its API. */
import { createSimulator, type SimulatorOptions } from '../../../demo/simulator/simulator.ts'
import { createFakeClock } from '../fake-clock.ts'

/** The callback endpoint of a test case. */
export type Callback = (url: string, init: RequestInit) => Response | Promise<Response>

export const success: Callback = () => new Response('success')

export function createFixture(callback: Callback = success, options: SimulatorOptions = {}) {
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

  /** Returns the path with an access token in its query. The default is a new stable token. */
  const withToken = async (path: string, token?: string) =>
    `${path}${path.includes('?') ? '&' : '?'}access_token=${token ?? (await stableToken()).access_token}`
  const createQrcode = async (body: unknown, token?: string) => post(await withToken('qrcode/create', token), body)

  /** Creates a temporary QR code with this scene and returns its url. */
  async function showQrcode(scene = 'wb1_one', expire_seconds = 120): Promise<string> {
    const action_info = { scene: { scene_str: scene } }
    return (await createQrcode({ expire_seconds, action_name: 'QR_STR_SCENE', action_info })).url
  }

  return { simulator, time, deliveries, get, post, stableToken, classicToken, withToken, createQrcode, showQrcode }
}
