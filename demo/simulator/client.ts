/** Drives a simulated WeChat that runs in another process, over its control API. Needs nothing but `fetch`. */
import type { PhoneView, ScanView, SimulatorView } from './control-api.ts'
import type { CallbackFault } from './faults.ts'

export type SimulatorClient = ReturnType<typeof createSimulatorClient>
export type PhoneClient = ReturnType<SimulatorClient['phone']>

/** `base`: where the simulator is mounted, e.g. `http://127.0.0.1:4000/simulator`; a path is relative to the page. */
export function createSimulatorClient(
  base: string,
  fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis),
) {
  const root = `${base.replace(/\/+$/, '')}/control`

  async function ask<T>(path: string): Promise<T> {
    return (await expectOk(path, await fetch(`${root}/${path}`))).json()
  }

  async function post(path: string, body: object = {}): Promise<Response> {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
    return expectOk(path, await fetch(`${root}/${path}`, init))
  }

  const command = async (path: string, body?: object): Promise<void> => {
    await post(path, body)
  }

  return {
    /** One person's gestures; a name that nobody had is a new person. Each resolves when WeChat has taken it. */
    phone: (person: string) => ({
      /** Without `url` the code that was made last; with `follow` a newcomer follows the account as well. */
      async scan(scan: { url?: string; follow?: boolean } = {}): Promise<ScanView> {
        return (await post(`phones/${person}/scan`, scan)).json()
      },
      follow: (how: { lingeredMs?: number } = {}) => command(`phones/${person}/follow`, how),
      unfollow: () => command(`phones/${person}/unfollow`),
      sendText: (content: string) => command(`phones/${person}/text`, { content }),
      tap: (href: string) => command(`phones/${person}/tap`, { href }),
      async look(): Promise<PhoneView | undefined> {
        return (await ask<SimulatorView>('state')).phones.find((phone) => phone.person === person)
      },
    }),
    fail: (path: string, errcode: number, times: number | 'always' = 1) =>
      command('faults/fail', { path, errcode, times }),
    slow: (path: string, ms: number) => command('faults/slow', { path, ms }),
    setDown: (down: boolean) => command('faults/down', { down }),
    setCallbackFault: (fault: CallbackFault) => command('faults/callback', { fault }),
    clearFaults: () => command('faults/clear'),
    /** Ends a code as if its time were over; without `url` the one made last. */
    expireQrcode: (url?: string) => command('qrcodes/expire', url === undefined ? {} : { url }),
    /** Makes every access token stale, as another system's forced refresh does: 40001. */
    revokeAccessTokens: () => command('access-tokens/revoke'),
  }
}

async function expectOk(path: string, response: Response): Promise<Response> {
  if (response.ok) return response
  const { error = '' } = (await response.json().catch(() => ({}))) as { error?: string }
  throw new Error(`${path} answered ${response.status} ${error}`.trim())
}
