/**
 * Refuses requests that do not come from the console's own page. A refused request has a `Host` that is not a name of the console
 * (DNS rebinding), or comes from a page of another origin (forgery). Pure.
 */
import { BindError } from '../errors.ts'

type HeaderOf = (name: string) => string | undefined

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

const EVERY_ADDRESS = ['0.0.0.0', '::']

/** The host names under which browsers may reach the console, as written in a URL. `host`: CONSOLE_HOST. */
export function toHostNames(host: string | undefined, allowedHosts: string[]): ReadonlySet<string> {
  const own = host === undefined || EVERY_ADDRESS.includes(host) ? [] : [host.includes(':') ? `[${host}]` : host]
  return new Set([...LOOPBACK, ...own, ...allowedHosts].map((name) => name.toLowerCase()))
}

/** The name of a `Host` header, without the port. Undefined if it is malformed. */
const nameOf = (host: string) => /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase()

/**
 * The name of an attacker's page can resolve to the address of this server. The browser then treats the page and the server as
 * one origin. The `Host` header is then the attacker's name.
 */
export function expectOwnHost(host: string, names: Pick<ReadonlySet<string>, 'has'>): void {
  const name = nameOf(host)
  if (name !== undefined && names.has(name)) return
  throw new BindError(
    'FORBIDDEN',
    'The console is not reached under this host name: open it as http://127.0.0.1, or add the name to CONSOLE_ALLOWED_HOSTS.',
  )
}

/**
 * For requests to the API. A browser sends `Sec-Fetch-Site` with each request, and `Origin` with each request that may change
 * something.
 */
export function expectOwnPage(header: HeaderOf, host: string): void {
  const site = header('Sec-Fetch-Site')
  const origin = header('Origin')
  const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  const isForeignOrigin = origin !== undefined && URL.parse(origin)?.host !== hostOf(host)
  if (isForeignSite || isForeignOrigin) {
    throw new BindError(
      'FORBIDDEN',
      'The request comes from a page of another origin, which the console does not accept.',
    )
  }
}

/** As `URL` writes it: in lower case and without a default port. */
const hostOf = (host: string) => host.toLowerCase().replace(/:(80|443)$/, '')
