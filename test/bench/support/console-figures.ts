/** Fills the console's figures, and requests its overview. */

import { BIND_SECONDS } from '../../../server/store/console-store.ts'
import { CONSOLE_TOKENS, createConsoleClient } from '../../support/console-client.ts'
import { insertRows, runStatements } from './statements.ts'

const HOUR_MS = 3_600_000

export const TENANTS = 50

const HOURS = 60 * 24

const counts = { shown: 9, scanned: 7, confirmed: 6, bound: 5, unbound: 1 }
const buckets = [...BIND_SECONDS.map((seconds) => `within_${seconds}`), 'within_more']

/** The figures of sixty days for each tenant, because the overview compares the last 30 days with the 30 days before. */
export async function fillFigures(url: string, now: number): Promise<void> {
  const hour = now - (now % HOUR_MS)
  const columns = [...Object.keys(counts), ...buckets].join(', ')
  const values = [...Object.values(counts), ...buckets.map(() => 1)].join(', ')
  await runStatements(url, [
    insertRows(
      HOURS * TENANTS,
      `figures (hour, tenant, ${columns})`,
      `${hour} - (n - 1) / ${TENANTS} * ${HOUR_MS}, 'tenant' || (n % ${TENANTS}), ${values}`,
    ),
    insertRows(
      HOURS,
      'wechat_errors (hour, errcode, count, last_at)',
      `${hour} - (n - 1) * ${HOUR_MS}, 45009, 1, ${hour} - (n - 1) * ${HOUR_MS}`,
    ),
    `insert into instances (name, at, waiting, waiting_limit, callback_at, token_at, token_until) values ('i', ${now}, 5, 9, ${now}, ${now}, ${now})`,
  ])
}

/** The settings that open the console of a server. */
export const consoleEnv = { CONSOLE_PORT: '0', CONSOLE_TOKENS }

/** Signs in. Returns the cookie of the session. */
export async function signIn(consoleUrl: string): Promise<string> {
  const client = createConsoleClient({ request: fetch }, consoleUrl)
  await client.signIn('otto')
  return client.cookie()!
}
