/**
 * A client of the simulator's control API, for programs that run the simulator in another process. The client needs
 * only `fetch`.
 */

import type { CallbackFault, PhoneView, ScanView, SimulatorView } from './views.ts'
import type { AuthorizeOptions, AuthorizeResult } from './web-authorization.ts'

export type SimulatorClient = ReturnType<typeof createSimulatorClient>
export type PhoneClient = ReturnType<SimulatorClient['phone']>

/**
 * `base` is the simulator's URL, for example `http://127.0.0.1:4000/simulator`. If `base` is only a path, it is
 * resolved against the URL of the page.
 */
export function createSimulatorClient(
  base: string,
  fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis),
) {
  const root = `${base.replace(/\/+$/, '')}/control`

  async function get<T>(path: string): Promise<T> {
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
    /**
     * Returns the actions of one person. A new name creates a new person. Each action resolves when the simulator has
     * accepted it.
     */
    phone: (person: string) => ({
      /**
       * Scans the newest QR code, or the QR code with this `url`. With `follow: true`, it also taps the button "Follow"
       * if WeChat shows it.
       */
      async scan(scan: { url?: string; follow?: boolean } = {}): Promise<ScanView> {
        return (await post(`phones/${person}/scan`, scan)).json()
      },
      follow: (how: { lingeredMs?: number } = {}) => command(`phones/${person}/follow`, how),
      unfollow: () => command(`phones/${person}/unfollow`),
      /** Closes the WeChat account, which ends all bindings of the person. Resolves when the callback has been answered. */
      closeAccount: () => command(`phones/${person}/close-account`),
      /** Opens the URL of a web authorization. Returns the URL to which WeChat sends the browser, or the error that its page shows. */
      async authorize(url: string, how: AuthorizeOptions = {}): Promise<AuthorizeResult> {
        return (await post(`phones/${person}/authorize`, { url, ...how })).json()
      },
      /**
       * Sets a cookie, so that the simulator treats the calling browser as the browser in the person's WeChat. `answer`
       * is the person's answer to a web authorization.
       */
      browse: (answer: 'allow' | 'decline' | 'snapshot' = 'allow') => command(`phones/${person}/browser`, { answer }),
      revokeAuthorization: () => command(`phones/${person}/revoke-authorization`),
      sendText: (content: string) => command(`phones/${person}/text`, { content }),
      tap: (href: string) => command(`phones/${person}/tap`, { href }),
      async look(): Promise<PhoneView | undefined> {
        return (await get<SimulatorView>('state')).phones.find((phone) => phone.person === person)
      },
    }),
    fail: (path: string, errcode: number, times: number | 'always' = 1) =>
      command('faults/fail', { path, errcode, times }),
    slow: (path: string, ms: number) => command('faults/slow', { path, ms }),
    setDown: (down: boolean) => command('faults/down', { down }),
    setCallbackFault: (fault: CallbackFault) => command('faults/callback', { fault }),
    clearFaults: () => command('faults/clear'),
    /** Expires the QR code with this `url`, by default the newest QR code. */
    expireQrcode: (url?: string) => command('qrcodes/expire', url === undefined ? {} : { url }),
    /** Invalidates all access tokens, as a forced refresh by another system does. The API then answers 40001. */
    revokeAccessTokens: () => command('access-tokens/revoke'),
  }
}

async function expectOk(path: string, response: Response): Promise<Response> {
  if (response.ok) return response
  const { error = '' } = (await response.json().catch(() => ({}))) as { error?: string }
  throw new Error(`${path} answered ${response.status} ${error}`.trim())
}
