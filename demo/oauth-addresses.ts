/**
 * The addresses of the web authorization in the demo. The demo is its own site and its own WeChat, under every name of this machine, and
 * each visitor has a prefix. A browser therefore stays on the host that it opened.
 */
import type { Config } from '../server/config/config.ts'
import { type AddressesFor, createAddresses } from '../server/http/base-url.ts'

/** `hosts`: the names of this machine. */
export function createDemoAddresses(config: Config, hosts: string[]): AddressesFor {
  const { openBase } = config.oauth
  const addressesFor = createAddresses({ ...config, openBase })
  const simulatorPath = new URL(openBase).pathname
  const prefix = simulatorPath.replace(/\/simulator$/, '')
  return (headers) => {
    const { baseUrl } = addressesFor(headers)
    const { origin, hostname } = new URL(baseUrl)
    return {
      baseUrl: origin + prefix,
      ownOrigins: hosts.includes(hostname) ? [origin] : [],
      openBase: origin + simulatorPath,
    }
  }
}
