/** The settings of the commands that change bindings. They are a subset of the server's settings, so such a command runs with the server's environment. */
import { createKeyedHash } from '../keys/keyed-hash.ts'
import type { TxSettings } from '../store/sql/tx-settings.ts'
import { type Config, type Env, parseConflict, parseDatabaseUrl, parseWebhooks, throwFaults } from './config.ts'
import { createEnvReader } from './env-reader.ts'
import { parseAccount } from './wechat-settings.ts'

export type OperatorSettings = {
  databaseUrl: string
  account: ReturnType<typeof parseAccount>
  conflict: Config['rules']['conflict']
  /** The settings of the store. A change by a command then has the same effects as a change by the server. */
  store: Pick<TxSettings, 'hashOf' | 'hasWebhook'>
}

/** Throws `BAD_CONFIG`. */
export function readOperatorSettings(env: Env): OperatorSettings {
  const reader = createEnvReader(env)
  const account = parseAccount(reader)
  const { webhooks } = parseWebhooks(reader)
  const settings = {
    databaseUrl: parseDatabaseUrl(reader),
    account,
    conflict: parseConflict(reader),
    store: {
      hashOf: createKeyedHash(account.appSecret),
      hasWebhook: (tenant: string) => webhooks.of(tenant).length > 0,
    },
  }
  throwFaults(reader)
  return settings
}
