/**
 * Selects the WeChat account: a real account if the environment contains its settings, otherwise the simulated account.
 */
import type { Env } from '../server/config/config.ts'
import type { WechatMode } from '../server/wechat/message.ts'
import type { Account } from './simulator/account.ts'

/** The demo uses a real account if the environment contains an appid with a secret, or an API base. */
export const isRealWechat = ({ WECHAT_APP_ID, WECHAT_APP_SECRET, WECHAT_API_BASE }: Env): boolean =>
  WECHAT_API_BASE !== undefined || (WECHAT_APP_ID !== undefined && WECHAT_APP_SECRET !== undefined)

/** The saved settings of the simulated account, overridden by the environment. */
export function toAccount(env: Env, remembered: Account | undefined): Partial<Account> {
  const given: Partial<Record<keyof Account, string | undefined>> = {
    appId: env.WECHAT_APP_ID,
    token: env.WECHAT_TOKEN,
    // During a rotation the value is `new,old`. WeChat uses the new key.
    encodingAesKey: env.WECHAT_ENCODING_AES_KEY?.split(',')[0],
    originalId: env.WECHAT_ORIGINAL_ID,
    mode: (env.WECHAT_MODE ?? 'secure') as WechatMode,
  }
  return { ...remembered, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) }
}

/** The environment variables of a bind server for the simulator at this URL. */
export const toWechatEnv = (account: Account, simulatorUrl: string): Env => ({
  WECHAT_APP_ID: account.appId,
  WECHAT_APP_SECRET: account.appSecret,
  WECHAT_TOKEN: account.token,
  WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
  WECHAT_ORIGINAL_ID: account.originalId,
  WECHAT_API_BASE: simulatorUrl,
  WECHAT_OAUTH: 'on',
  WECHAT_OPEN_BASE: simulatorUrl,
})
