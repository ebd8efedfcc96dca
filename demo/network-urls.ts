/**
 * The host names and URLs under which browsers can open the demo, including browsers of a phone on the same network.
 * Node only.
 */
import { networkInterfaces } from 'node:os'
import type { Env } from '../server/config/config.ts'
import type { TrustedNames } from './simulator/request-guard.ts'

/**
 * Returns `PUBLIC_URL` if it is set. Otherwise, if `host` is a wildcard address, returns one URL per network interface.
 */
export function toNetworkUrls(publicUrl: string | undefined, host: string | undefined, port: string): string[] {
  return publicUrl ? [publicUrl] : networkAddresses(host).map((address) => `http://${address}:${port}`)
}

function networkAddresses(host: string | undefined): string[] {
  if (host !== undefined && host !== '0.0.0.0' && host !== '::') return []
  const addresses = Object.values(networkInterfaces()).flat()
  return addresses.flatMap((one) => (one && one.family === 'IPv4' && !one.internal ? [one.address] : []))
}

/**
 * Returns the host names of the printed URLs, the host name of `PUBLIC_URL`, and the names in `DEMO_HOSTS` (separated
 * by commas).
 */
export function toTrustedNames({ HOST = '127.0.0.1', PUBLIC_URL = '', DEMO_HOSTS = '' }: Env): TrustedNames {
  const publicUrl = URL.parse(PUBLIC_URL)
  const own = HOST.includes(':') ? `[${HOST}]` : HOST
  const names = [own, ...networkAddresses(HOST || undefined), publicUrl?.hostname, ...DEMO_HOSTS.split(',')]
  return {
    hosts: names.flatMap((name) => name?.trim() || []),
    origins: publicUrl ? [publicUrl.origin] : [],
  }
}
