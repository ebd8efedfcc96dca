/** How a phone on the same network reaches this machine. NODE. */
import { networkInterfaces } from 'node:os'

/** The demo's URLs for others: `PUBLIC_URL` when it is set, else one for each network that `host` listens on. */
export function toOthersUrls(publicUrl: string | undefined, host: string | undefined, port: string): string[] {
  if (publicUrl) return [publicUrl]
  if (host !== undefined && host !== '0.0.0.0' && host !== '::') return []
  const addresses = Object.values(networkInterfaces()).flat()
  return addresses.flatMap((one) =>
    one && one.family === 'IPv4' && !one.internal ? [`http://${one.address}:${port}`] : [],
  )
}
