/**
 * Refuses requests that a page of another site sends to a server on the user's machine or network. Two checks are
 * needed. First, with DNS rebinding, the name of the other site resolves to this server, and the page can read the
 * answers. The browser then sends the name of the other site as `Host`. Second, without DNS rebinding, the page can
 * still send POST requests. The browser then sends the origin of the page as `Origin`.
 */
import type { Context } from 'hono'

export type TrustedNames = {
  /** Host names of the server besides `localhost`, `127.0.0.1` and `[::1]`, without a port. */
  hosts?: readonly string[] | undefined
  /** Origins of the server's own pages that differ from `Host`, because a proxy changes `Host`. */
  origins?: readonly string[] | undefined
}

export const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const READING_METHODS = ['GET', 'HEAD', 'OPTIONS']

export function createRequestGuard({ hosts = [], origins = [] }: TrustedNames = {}) {
  const trustedHosts = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())])

  /** The scheme is not compared, because a proxy in front of the server may terminate TLS. */
  function isOwn(origin: string, host: string): boolean {
    const { protocol = '', host: page } = URL.parse(origin) ?? {}
    return origins.includes(origin) || (/^https?:$/.test(protocol) && URL.parse(`${protocol}//${host}`)?.host === page)
  }

  return async (c: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const host = c.req.header('Host')
    // A request without `Host` does not come from a browser: it is a call in this process (`app.request`), or it uses
    // HTTP/1.0.
    if (host !== undefined && !trustedHosts.has(host.replace(/:\d+$/, '').toLowerCase())) {
      return c.json({ error: `Host ${host} is refused. ${TRUST_HOST}` }, 403)
    }
    // A request without `Origin` comes from a program such as curl or a test, not from a page.
    const origin = c.req.header('Origin')
    const isReading = READING_METHODS.includes(c.req.method)
    if (origin !== undefined && !isReading && !isOwn(origin, host ?? new URL(c.req.url).host)) {
      return c.json(
        { error: `This server refuses a ${c.req.method} request from a page of ${origin}. ${TRUST_ORIGIN}` },
        403,
      )
    }
    await next()
  }
}

// The message does not list the trusted names, because the refused page could read the message.
const TRUST_HOST = 'Use localhost, or add the name to DEMO_HOSTS (demo) or to the option "hosts" (createSimulator).'
const TRUST_ORIGIN =
  'If a proxy in front of this server changes Host, set PUBLIC_URL (demo) or the option "origins" (createSimulator).'
