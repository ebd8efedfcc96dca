/** Sends the element's requests. They carry a widget token or receive one, so they go only to the URLs that the page has set. */
import { BindError } from './bind-error.ts'

export type Send = (url: string, init: RequestInit) => Promise<Response>

/** `fetch` with resolved URLs. A redirect fails like a lost connection: it would send the request to a URL that the response names. */
export const createSend =
  (fetch: typeof globalThis.fetch): Send =>
  (url, init) =>
    fetch(resolve(url), { ...init, redirect: 'error' })

/** Resolves against the page's own URL: `document.baseURI` would follow a `<base>`, which injected HTML can contain. */
function resolve(url: string): string {
  for (const base of [location.href, origin]) {
    try {
      return new URL(url, base).href
    } catch {
      // `about:blank`, `about:srcdoc` and blob URLs have no path. Such a page has the origin of the page that created it.
    }
  }
  throw new BindError('BAD_REQUEST', 'server and token-url must be URLs')
}
