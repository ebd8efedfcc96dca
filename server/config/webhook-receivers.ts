/** The webhook receivers of the environment and of `WEBHOOKS_FILE`. */
import type { Bilingual } from '../errors.ts'
import { toSuffix } from '../keys/keyring.ts'
import type { EnvReader } from './env-reader.ts'

export type WebhookReceiver = {
  /** The name in commands and logs. For a receiver of the environment it is the name of its setting, for example `WEBHOOK_URL`. */
  name: string
  /** Undefined if the receiver serves all tenants. */
  tenant?: string | undefined
  url: string
  /** The keys that sign the deliveries, newest first: `whsec_` and base64. */
  secrets: string[]
  /** The types of events that the receiver gets. Undefined means all. */
  types?: EventType[] | undefined
}

export const eventTypes = ['binding.bound', 'binding.unbound', 'binding.updated'] as const

export type EventType = (typeof eventTypes)[number]

export type WebhookReceivers = {
  all: WebhookReceiver[]
  ofFile: WebhookReceiver[]
  /** The receivers of a tenant. */
  of(tenant: string): WebhookReceiver[]
  /** Returns these receivers and the receivers of the file. */
  withFile(receivers: WebhookReceiver[]): WebhookReceivers
}

type EnvReceivers = { shared: WebhookReceiver | undefined; own: ReadonlyMap<string, WebhookReceiver> }

/** In the environment, the receiver of a tenant replaces `WEBHOOK_URL` for this tenant. The receivers of the file are added. */
function createWebhookReceivers({ shared, own }: EnvReceivers, file: WebhookReceiver[]): WebhookReceivers {
  return {
    all: [...(shared ? [shared] : []), ...own.values(), ...file],
    ofFile: file,
    of(tenant) {
      const fromEnv = own.get(toSuffix(tenant)) ?? shared
      const fromFile = file.filter((receiver) => receiver.tenant === undefined || receiver.tenant === tenant)
      return [...(fromEnv ? [fromEnv] : []), ...fromFile]
    },
    withFile: (receivers) => createWebhookReceivers({ shared, own }, receivers),
  }
}

/** `WEBHOOK_URL` and `WEBHOOK_SECRET` apply to all tenants, `WEBHOOK_URL_<TENANT>` and `WEBHOOK_SECRET_<TENANT>` to one tenant. */
export function parseWebhookReceivers(reader: EnvReader): WebhookReceivers {
  const own = new Map<string, WebhookReceiver>()
  for (const suffix of reader.suffixesOf('WEBHOOK_URL_')) {
    const receiver = parseReceiver(reader, `_${suffix}`, suffix.toLowerCase())
    if (receiver) own.set(suffix, receiver)
  }
  return createWebhookReceivers({ shared: parseReceiver(reader, '', undefined), own }, [])
}

function parseReceiver(reader: EnvReader, suffix: string, tenant: string | undefined): WebhookReceiver | undefined {
  const name = `WEBHOOK_URL${suffix}`
  const url = reader.url(name, undefined)
  if (url === undefined) return undefined
  const secrets = reader.parsed(`WEBHOOK_SECRET${suffix}`, parseSecrets, [])
  return { name, tenant, url, secrets }
}

const MAX_SECRETS = 5

export const SECRETS_RULE: Bilingual = {
  en: 'must be whsec_ and 24 to 64 bytes in base64: make one with "npx wechat-bind keygen --webhook" (during a rotation: new,old)',
  zh: '须为 whsec_ 加 24 至 64 字节的 base64：请用“npx wechat-bind keygen --webhook”生成（轮换期间：新,旧）',
}

/** Parses one secret, or `new,old` during a rotation. */
function parseSecrets(text: string): string[] {
  const secrets = text.split(',').map((secret) => secret.trim())
  if (secrets.length > MAX_SECRETS || !secrets.every(isSecret)) {
    throw new TypeError(`${SECRETS_RULE.en} | ${SECRETS_RULE.zh}`)
  }
  return secrets
}

/** The Standard Webhooks specification defines these lengths. */
export function isSecret(text: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  if (base64 === undefined) return false
  const { length } = Buffer.from(base64, 'base64')
  return length >= 24 && length <= 64
}
