/** The URLs under which a phone on the same network reaches the demo. NODE. */
import { networkInterfaces } from 'node:os'

/** `PUBLIC_URL` if it is set, otherwise one URL per network interface when `host` is a wildcard address. */
export function toNetworkUrls(publicUrl: string | undefined, host: string | undefined, port: string): string[] {
  if (publicUrl) return [publicUrl]
  if (host !== undefined && host !== '0.0.0.0' && host !== '::') return []
  const addresses = Object.values(networkInterfaces()).flat()
  return addresses.flatMap((one) =>
    one && one.family === 'IPv4' && !one.internal ? [`http://${one.address}:${port}`] : [],
  )
}
