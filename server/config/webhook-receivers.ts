/** Reads the webhook receiver of each tenant from the configuration. */
import { toSuffix } from '../keys/keyring.ts'
import type { EnvReader } from './env-reader.ts'

export type WebhookReceiver = {
  url: string
  /** The key that signs the deliveries: `whsec_` and base64. */
  secret: string
}

export type WebhookReceivers = {
  /** Returns the receiver of a tenant, or undefined if the tenant has no receiver. */
  find(tenant: string): WebhookReceiver | undefined
  /** Whether any tenant has a receiver. */
  isAny: boolean
}

const SECRET = /^whsec_[A-Za-z0-9+/]{32,100}={0,2}$/

/** `WEBHOOK_URL` and `WEBHOOK_SECRET` apply to all tenants, `WEBHOOK_URL_<TENANT>` and `WEBHOOK_SECRET_<TENANT>` to one tenant. */
export function parseWebhookReceivers(reader: EnvReader): WebhookReceivers {
  const shared = parseReceiver(reader, '')
  const own = new Map(reader.suffixesOf('WEBHOOK_URL_').map((suffix) => [suffix, parseReceiver(reader, `_${suffix}`)]))
  return {
    find: (tenant) => own.get(toSuffix(tenant)) ?? shared,
    isAny: shared !== undefined || own.size > 0,
  }
}

function parseReceiver(reader: EnvReader, suffix: string): WebhookReceiver | undefined {
  const url = reader.url(`WEBHOOK_URL${suffix}`, undefined)
  if (url === undefined) return undefined
  const secret = reader.matching(`WEBHOOK_SECRET${suffix}`, SECRET, undefined, {
    en: 'must be whsec_ and at least 24 bytes in base64: make one with "npx wechat-bind keygen --webhook"',
    zh: '须为 whsec_ 加至少 24 字节的 base64：请用“npx wechat-bind keygen --webhook”生成',
  })
  return { url, secret }
}
