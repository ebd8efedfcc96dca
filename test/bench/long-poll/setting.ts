/** The configuration of the bench and of the measured server. */
import { type Config, parseConfig } from '../../../server/config/config.ts'

const ACCOUNT = {
  appId: 'wx0123456789abcdef',
  originalId: 'gh_0123456789ab',
  token: 'bench',
  appSecret: 'secret',
  encodingAesKey: 'a'.repeat(43),
}

export const KEY = { kid: 'k1', secret: `${'k'.repeat(42)}A` }

const benchEnv = {
  WECHAT_APP_ID: ACCOUNT.appId,
  WECHAT_APP_SECRET: ACCOUNT.appSecret,
  WECHAT_TOKEN: ACCOUNT.token,
  WECHAT_ENCODING_AES_KEY: ACCOUNT.encodingAesKey,
  // No server listens at this address. Neither waiting nor binding needs WeChat's API.
  WECHAT_API_BASE: 'http://127.0.0.1:9',
  BIND_KEYS: `${KEY.kid}:${KEY.secret}`,
  LOG_LEVEL: 'silent',
}

export const benchConfig = (): Config =>
  parseConfig({ ...benchEnv, DATABASE_URL: 'sqlite::memory:', MAX_WAITERS_TENANT: '20000' })
