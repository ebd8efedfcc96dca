/** Simulates a page with the element: sends the same requests in the same order. */
import { setTimeout as delay } from 'node:timers/promises'
import type { BindingView, QrcodeView } from '../../../server/wire.ts'
import { ORIGIN, type Soaked } from './server.ts'

/** The error for an answer that the page does not expect. */
export class PageError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(`HTTP ${status} ${code}`)
    this.status = status
    this.code = code
  }
}

export type Page = ReturnType<typeof openPage>

const WAIT_S = 25
// The server caches a token until it expires, so the size of the cache is constant after this time.
const TOKEN_TTL_S = 300
// The server no longer has the key of the token, so the page gets another token, as the element does.
const UNAUTHORIZED = 401
const OVERLOADED = 503

export function openPage({ urls, client }: Soaked, userId: string, signal?: AbortSignal) {
  const newToken = () =>
    client().mintToken({ account: 'acme', userId, label: `u***${userId}@example.com`, ttlSeconds: TOKEN_TTL_S })
  let token: string | undefined

  async function send(method: string, path: string, headers: Record<string, string> = {}, body?: object) {
    for (let tries = 1; ; tries++) {
      token ??= await newToken()
      const response = await fetch(`${urls.url}/widget/${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, Origin: ORIGIN, 'Accept-Language': 'zh-CN', ...headers },
        ...(body && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      })
      const text = await response.text()
      if (response.status < 400) return { status: response.status, text }
      token = undefined
      if (response.status === UNAUTHORIZED && tries < 3) continue
      throw new PageError(response.status, text.startsWith('{') ? JSON.parse(text).code : '')
    }
  }

  const json = async <T>(answer: Promise<{ text: string }>): Promise<T> => JSON.parse((await answer).text) as T

  return {
    qrcode: (isRefresh = false) => json<QrcodeView>(send('POST', 'qrcode', {}, { refresh: isRefresh })),
    unbind: () => json<BindingView>(send('DELETE', 'binding')),
    startAuthorization: () => send('POST', 'oauth', {}, { return: `${ORIGIN}/account` }),
    /** Waits until the version is greater than `known`, but at most 25 s. */
    async poll(known: number): Promise<BindingView | undefined> {
      const headers = { 'If-None-Match': `"${known}"`, Prefer: `wait=${WAIT_S}` }
      const { status, text } = await send('GET', 'binding', headers)
      return status === 304 ? undefined : (JSON.parse(text) as BindingView)
    },
    /** Waits until the user is bound. */
    async untilBound(known: number): Promise<void> {
      for (let version = known; ; ) {
        const view = await this.poll(version)
        if (view?.state === 'bound') return
        version = view?.version ?? version
      }
    },
  }
}

/** Waits for a scan that does not come, until the page is closed. */
export async function waitInVain(soaked: Soaked, userId: string, ms: number): Promise<void> {
  const closing = new AbortController()
  const page = openPage(soaked, userId, closing.signal)
  const timer = setTimeout(() => closing.abort(), ms)
  try {
    for (let version = 0; ; ) version = (await page.poll(version))?.version ?? version
  } catch (error) {
    if (error instanceof PageError && error.status === OVERLOADED) await delay(5_000)
    else if (!closing.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
}
