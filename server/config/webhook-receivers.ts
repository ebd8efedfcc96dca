/** Where each tenant's changes are told, from the configuration. */
import { toSuffix } from '../keys/keyring.ts'
import type { Settings } from './env-reader.ts'

export type Webhook = { url: string /** `whsec_` and base64: what signs the deliveries. */; secret: string }

export type WebhookReceivers = {
  /** The receiver of a tenant, or undefined when nobody wants to hear. */
  find(tenant: string): Webhook | undefined
  /** Whether any tenant has one. */
  isAny: boolean
}

const SECRET = /^whsec_[A-Za-z0-9+/]{32,100}={0,2}$/

/** `WEBHOOK_URL` and `WEBHOOK_SECRET` for all tenants; `WEBHOOK_URL_<TENANT>` and `WEBHOOK_SECRET_<TENANT>` for one. */
export function parseWebhookReceivers(settings: Settings): WebhookReceivers {
  const shared = parseWebhook(settings, '')
  const own = new Map(
    settings.namesAfter('WEBHOOK_URL_').map((suffix) => [suffix, parseWebhook(settings, `_${suffix}`)]),
  )
  return {
    find: (tenant) => own.get(toSuffix(tenant)) ?? shared,
    isAny: shared !== undefined || own.size > 0,
  }
}

function parseWebhook(settings: Settings, suffix: string): Webhook | undefined {
  const url = settings.url(`WEBHOOK_URL${suffix}`, undefined)
  if (url === undefined) return undefined
  const secret = settings.matching(`WEBHOOK_SECRET${suffix}`, SECRET, undefined, {
    en: 'must be whsec_ and 24 bytes or more in base64: make one with "npx wechat-bind keygen --webhook"',
    zh: '须为 whsec_ 加 24 字节以上的 base64：可用 “npx wechat-bind keygen --webhook” 生成',
  })
  return { url, secret }
}
