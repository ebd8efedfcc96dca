/** The bind server's settings in the demo: what it makes up, under what the environment says, under the conditions. */
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
  /** The simulator's; undefined where WeChat is real. */
  account: Account | undefined
}

// The first of these lasts long enough to be scanned by hand, the second just long enough to be seen.
const TICKET_TTL_MS = { short: 10_000, ended: 2_000 }

export function createBindConfig({ env, dataDir, key, webhookSecret, account }: BindConfigDeps) {
  /** As a server at this URL has it from its start. Throws `BAD_CONFIG`. */
  function at(url: string, more: Env = {}): Config {
    const own: Env = {
      HOST: '127.0.0.1',
      BIND_KEYS: `demo:${key}`,
      DATABASE_URL: `sqlite:${join(dataDir, 'wechat-bind.db')}`,
      // The demo prints where it is, and nothing else.
      LOG_LEVEL: 'warn',
      // Who tries every state asks for more codes than any user.
      QR_PER_MINUTE: '100',
      ...(env.WEBHOOK_URL ? {} : { WEBHOOK_URL: `${url}/host/webhook`, WEBHOOK_SECRET: webhookSecret }),
      ...(account ? toWechatEnv(account, `${url}/simulator`) : {}),
    }
    return parseConfig({ ...own, ...env, ...more })
  }

  return {
    at,
    under(url: string, { confirm, conflict, unsubscribe, mode, ticket }: Conditions): Config {
      const rules = { CONFIRM: confirm, CONFLICT: conflict, UNSUBSCRIBE: unsubscribe }
      const config = at(url, account ? { ...rules, WECHAT_MODE: mode } : rules)
      return ticket === 'normal' ? config : { ...config, ticketTtlMs: TICKET_TTL_MS[ticket] }
    },
  }
}
