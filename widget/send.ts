/** Sends the element's requests. The requests carry or return a widget token, so they go only to the URLs that the page has set. */
import { BindError } from './bind-error.ts'

/** `cure`: how the server of the URL allows the page to read its answers. */
export type Send = (url: string, init: RequestInit, cure: string) => Promise<Response>

/**
 * `fetch` with resolved URLs. A redirect is not followed, because it would send the request to a URL that the page has not set. An
 * answer that the browser hides from the page rejects with `BLOCKED`.
 */
export function createSend(fetch: typeof globalThis.fetch): Send {
  /** Origins that have allowed this page. Their later failures are lost connections, or error pages of a proxy. */
  const allowed = new Set<string>()

  return async (url, init, cure) => {
    const { href, origin: server } = resolve(url)
    try {
      const answer = await fetch(href, { redirect: 'error', ...init })
      allowed.add(server)
      return answer
    } catch (cause) {
      if (server === origin || allowed.has(server) || init.signal?.aborted) throw cause
      // CORS hides the answer to this request as well, but the request succeeds if the server can be reached. It contains no token.
      await fetch(href, { mode: 'no-cors', credentials: 'omit', signal: init.signal ?? null })
      throw new BindError('BLOCKED', `${server} hides its answers from ${origin}: ${cure}`, { cause })
    }
  }
}

/** Resolves against the page's own URL. `document.baseURI` depends on `<base>`, which injected HTML can contain. */
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
