/** The settings of the demo's bind server. The environment overrides the demo's defaults, and the conditions override both. */
import { join } from 'node:path'
import { type Config, type Env, parseConfig } from '../server/config/config.ts'
import type { Conditions } from './conditions.ts'
import type { Account } from './simulator/account.ts'
import { toWechatEnv } from './wechat-account.ts'

type BindConfigDeps = {
  env: Env
  dataDir: string
  /** The host site's key for the encrypted API, base64url. */
  key: string
  webhookSecret: string
  /** The simulated account; undefined if the demo uses a real WeChat account. */
  account: Account | undefined
}

// `short` leaves enough time for a manual scan. `ended` is so short that a tester sees the expiry at once.
const TICKET_TTL_MS = { short: 10_000, ended: 2_000 }

export type BindConfig = ReturnType<typeof createBindConfig>

export function createBindConfig({ env, dataDir, key, webhookSecret, account }: BindConfigDeps) {
  /** The settings of a server at this URL, without conditions. Throws `BAD_CONFIG`. */
  function at(url: string, overrides: Env = {}): Config {
    const defaults: Env = {
      HOST: '127.0.0.1',
      BIND_KEYS: `demo:${key}`,
      DATABASE_URL: `sqlite:${join(dataDir, 'wechat-bind.db')}`,
      // The demo prints its URLs and no request log.
      LOG_LEVEL: 'warn',
      // A tester requests more QR codes than an ordinary user, so the demo's limits are higher.
      QR_PER_MINUTE: '100',
      QR_PER_HOUR: '6000',
      QR_PER_DAY: '100000',
      QR_PER_DAY_TENANT: '1000000',
      // The demo switches off the pool of QR codes. With a pool, the server requests QR codes in advance, so a
      // simulated fault would not affect the next page, and the traffic log would not show the call beside the request
      // of the page.
      QR_READY: '0',
      ...(env.WEBHOOK_URL ? {} : { WEBHOOK_URL: `${url}/host/webhook`, WEBHOOK_SECRET: webhookSecret }),
      ...(account ? toWechatEnv(account, `${url}/simulator`) : {}),
    }
    return parseConfig({ ...defaults, ...env, ...overrides })
  }

  return {
    at,
    /** The settings for the API of the simulated WeChat. `path` is the prefix of the visitor's paths. */
    withConditions(
      url: string,
      { confirm, conflict, unsubscribe, mode, ticket, limits }: Conditions,
      path = '',
    ): Config {
      const rules = { CONFIRM: confirm, CONFLICT: conflict, UNSUBSCRIBE: unsubscribe }
      const low: Env = limits === 'low' ? { QR_PER_MINUTE: '1' } : {}
      const config = at(url, {
        ...rules,
        ...low,
        ...(account
          ? {
              WECHAT_MODE: mode,
              WECHAT_API_BASE: `${url}${path}/simulator`,
              WECHAT_OPEN_BASE: `${url}${path}/simulator`,
            }
          : {}),
      })
      return ticket === 'normal' ? config : { ...config, ticketTtlMs: TICKET_TTL_MS[ticket] }
    },
  }
}
