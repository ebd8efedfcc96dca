/** The URL at which browsers reach this server. */

/** The request headers that `baseUrlOf` reads. */
export const ADDRESS_HEADERS = ['host', 'x-forwarded-proto'] as const

type Address = {
  /** `PUBLIC_URL`, without a trailing slash. */
  publicUrl: string | undefined
  trustProxy: boolean
  port: number
}

/**
 * `PUBLIC_URL`, or else the address of the request, without a trailing slash. A client can send any `Host`, so that address may only be
 * told to the client itself.
 */
export function baseUrlOf(
  { host, origin, 'x-forwarded-proto': forwarded }: Record<string, string | undefined>,
  { publicUrl, trustProxy, port }: Address,
): string {
  if (publicUrl !== undefined) return publicUrl
  if (host === undefined) return `http://localhost:${port}`
  // A page of the server's own origin knows the scheme, even if a proxy terminates TLS.
  const page = URL.parse(origin ?? '')
  if (page?.host === host && /^https?:$/.test(page.protocol)) return page.origin
  const scheme = trustProxy && forwarded === 'https' ? 'https' : 'http'
  return URL.parse(`${scheme}://${host}`)?.origin ?? `http://localhost:${port}`
}

/** Whether the URL can only be that of a program on the browser's own machine. */
export const isLoopback = (url: string) =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(URL.parse(url)?.hostname ?? '')
