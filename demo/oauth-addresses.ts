/**
 * The URLs of the web authorization in the demo. The demo is both the site and WeChat, and it answers under every host
 * name of this machine. Each URL keeps the host name that the browser has opened, and the prefix of the visitor.
 */
import type { Config } from '../server/config/config.ts'
import { type AddressesFor, createAddresses } from '../server/http/base-url.ts'

/** `hosts` contains the host names of this machine. */
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
