/**
 * The parts of a bind server that the demo replaces: the test users, the URL of the QR picture, and the URLs of the web
 * authorization.
 */
import type { Config } from '../server/config/config.ts'
import type { Deps } from '../server/deps.ts'
import { createDemoAddresses } from './oauth-addresses.ts'
import type { Simulator } from './simulator/simulator.ts'
import type { createTestUsers } from './test-users.ts'

type DemoDeps = {
  simulator: Simulator
  testUsers: ReturnType<typeof createTestUsers>
  isReal: boolean
  /** The demo's URL in the settings, and the URL that a phone can reach. */
  url: string
  phoneUrl: string
  /** The host names of this machine. */
  hosts: string[]
}

export function createDepsAdapter({ simulator, testUsers, isReal, url, phoneUrl, hosts }: DemoDeps) {
  return (deps: Deps, config: Config): Deps => {
    deps.store.onCommit((notice) => void testUsers.onCommit(deps, notice).catch(() => {}))
    const ticketOf = testUsers.tickets(deps, config, config.wechat.appId)
    async function tickets(request: Parameters<Deps['tickets']>[0]) {
      const ticket = await ticketOf(request)
      // The conditions of a visitor also apply to the scans of the QR codes on the visitor's page.
      simulator.keepContext(ticket.url)
      return ticket
    }
    if (isReal) return { ...deps, tickets }
    const oauth = deps.oauth && { ...deps.oauth, addressesFor: createDemoAddresses(config, hosts) }
    return { ...deps, tickets, oauth, qrImageUrl: deps.qrImageUrl.replace(url, phoneUrl) }
  }
}
