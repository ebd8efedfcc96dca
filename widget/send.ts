/**
 * Sends the element's requests. A request or its response contains a widget token, so requests go only to the URLs that
 * the page has set.
 */
import { BindError } from './bind-error.ts'

/**
 * `cure` is a part of the error message: what the owner of the requested server must change so that the page can read
 * the answers.
 */
export type Send = (url: string, init: RequestInit, cure: string) => Promise<Response>

/**
 * `fetch` with resolved URLs. A redirect is not followed, because it would send the request to a URL that the page has
 * not set. If the browser hides the answer from the page, the promise rejects with `BLOCKED`.
 */
export function createSend(fetch: typeof globalThis.fetch): Send {
  /**
   * The origins that have allowed this page to read an answer. A later failure of such an origin is a lost connection,
   * or an error page of a proxy.
   */
  const allowed = new Set<string>()

  return async (url, init, cure) => {
    const { href, origin: server } = resolve(url)
    try {
      const answer = await fetch(href, { redirect: 'error', ...init })
      allowed.add(server)
      return answer
    } catch (cause) {
      if (server === origin || allowed.has(server) || init.signal?.aborted) throw cause
      // CORS hides the answer to this request as well, but the promise resolves if the server can be reached. The
      // request contains no token.
      await fetch(href, { mode: 'no-cors', credentials: 'omit', signal: init.signal ?? null })
      throw new BindError('BLOCKED', `${server} hides its answers from ${origin}: ${cure}`, { cause })
    }
  }
}

/**
 * Resolves a URL against the URL of the page. It does not use `document.baseURI`, because injected HTML could change
 * that with `<base>`.
 */
function resolve(url: string): URL {
  for (const base of [location.href, origin]) {
    try {
      return new URL(url, base)
    } catch {
      // `about:blank`, `about:srcdoc` and blob URLs have no path. Such a page has the origin of the page that created it.
    }
  }
  throw new BindError('BAD_REQUEST', 'server and token-url must be URLs')
}
