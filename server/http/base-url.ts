/** The URLs at which browsers reach this server and WeChat. */

/** The request headers that `createAddresses` reads. */
export const ADDRESS_HEADERS = ['host', 'x-forwarded-proto'] as const

export type Addresses = {
  /** The URL of this server, without a trailing slash. */
  baseUrl: string
  /** The origins of the server's own pages. */
  ownOrigins: string[]
  /** WeChat's host for browsers, without a trailing slash. */
  openBase: string
}

export type AddressesFor = (headers: Record<string, string | undefined>) => Addresses

type AddressSettings = {
  /** `PUBLIC_URL`, without a trailing slash. */
  publicUrl: string | undefined
  trustProxy: boolean
  port: number
  openBase: string
}

export function createAddresses({ publicUrl, trustProxy, port, openBase }: AddressSettings): AddressesFor {
  if (publicUrl !== undefined) {
    const addresses = { baseUrl: publicUrl, ownOrigins: [new URL(publicUrl).origin], openBase }
    return () => addresses
  }
  return (headers) => {
    const baseUrl = toBaseUrl(headers, trustProxy) ?? `http://localhost:${port}`
    // A client can send any `Host`. The header names a page of this server only on a developer's machine.
    return { baseUrl, ownOrigins: isLoopback(baseUrl) ? [baseUrl] : [], openBase }
  }
}

/** The origin to which the request was sent. A client can forge it, so it may appear only in the answer to that client. */
function toBaseUrl(
  { host, origin, 'x-forwarded-proto': forwarded }: Record<string, string | undefined>,
  trustProxy: boolean,
): string | undefined {
  if (host === undefined) return undefined
  // A page of the server's own origin knows the scheme, even if a proxy terminates TLS.
  const page = URL.parse(origin ?? '')
  if (page?.host === host && /^https?:$/.test(page.protocol)) return page.origin
  const scheme = trustProxy && forwarded === 'https' ? 'https' : 'http'
  return URL.parse(`${scheme}://${host}`)?.origin
}

const isLoopback = (url: string) => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(URL.parse(url)?.hostname ?? '')
