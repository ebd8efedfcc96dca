/** Whose WeChat it is: the simulator's, or a real account when the environment holds its settings. */
import type { Env } from '../server/config/config.ts'
import type { WechatMode } from '../server/wechat/message.ts'
import type { Account } from './simulator/account.ts'

/** An appid with its secret is a real account, unless another API is named beside it. */
export const isRealWechat = ({ WECHAT_APP_ID, WECHAT_APP_SECRET, WECHAT_API_BASE }: Env): boolean =>
  WECHAT_API_BASE !== undefined || (WECHAT_APP_ID !== undefined && WECHAT_APP_SECRET !== undefined)

/** The simulated account of the last start, under what the environment says. */
export function toAccount(env: Env, remembered: Account | undefined): Partial<Account> {
  const given: Partial<Record<keyof Account, string | undefined>> = {
    appId: env.WECHAT_APP_ID,
    token: env.WECHAT_TOKEN,
    // During a rotation, `new,old`: WeChat itself has the new one.
    encodingAesKey: env.WECHAT_ENCODING_AES_KEY?.split(',')[0],
    originalId: env.WECHAT_ORIGINAL_ID,
    mode: (env.WECHAT_MODE ?? 'secure') as WechatMode,
  }
  return { ...remembered, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) }
}

/** The settings of a bind server whose WeChat is the simulator at this URL. */
export const toWechatEnv = (account: Account, simulatorUrl: string): Env => ({
  WECHAT_APP_ID: account.appId,
  WECHAT_APP_SECRET: account.appSecret,
  WECHAT_TOKEN: account.token,
  WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
  WECHAT_ORIGINAL_ID: account.originalId,
  WECHAT_API_BASE: simulatorUrl,
})
