/** Fills the console's figures, and requests its overview. */

import type { Store } from '../../../server/store/store.ts'
import { CONSOLE_TOKENS, createConsoleClient } from '../../support/console-client.ts'

const HOUR_MS = 3_600_000

export const TENANTS = 50

/** The figures of sixty days for each tenant, because the overview compares the last 30 days with the 30 days before. */
export async function fillFigures(store: Store, now: number): Promise<void> {
  const counts = { shown: 9, scanned: 7, confirmed: 6, bound: 5, unbound: 1, took: Array<number>(14).fill(1) }
  const instance = { name: 'i', at: now, waiting: 5, waitingLimit: 9, callbackAt: now, tokenAt: now, tokenUntil: now }
  for (let hour = 0; hour < 60 * 24; hour++) {
    const at = now - (now % HOUR_MS) - hour * HOUR_MS
    const figures = Array.from({ length: TENANTS }, (_, i) => ({ ...counts, hour: at, tenant: `tenant${i}` }))
    await store.console.addFigures({ figures, errors: [{ hour: at, errcode: 45009, count: 1, lastAt: at }], instance })
  }
}

/** The settings that open the console of a server. */
export const consoleEnv = { CONSOLE_PORT: '0', CONSOLE_TOKENS }

/** Signs in. Returns the cookie of the session. */
export async function signIn(consoleUrl: string): Promise<string> {
  const client = createConsoleClient({ request: fetch }, consoleUrl)
  await client.signIn('otto')
  return client.cookie()!
}
