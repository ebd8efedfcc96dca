/** Finds settings that are well formed but contradict each other. Pure. */
import { type BindKey, toSuffix } from '../keys/keyring.ts'
import type { EnvReader } from './env-reader.ts'
import type { WebhookReceivers } from './webhook-receivers.ts'

type Parsed = { keys: BindKey[]; webhooks: WebhookReceivers; maxConnections: number; maxWaiters: number }

/** Adds a fault for each contradiction. */
export function checkContradictions(reader: EnvReader, { keys, webhooks, maxConnections, maxWaiters }: Parsed): void {
  checkWebhooks(reader, keys)
  checkFileReceivers(reader, keys, webhooks)
  if (maxConnections >= maxWaiters) return
  reader.addFault('MAX_CONNECTIONS', {
    en: `is ${maxConnections}, fewer than MAX_WAITERS (${maxWaiters}): each long poll keeps a connection open. Raise MAX_CONNECTIONS or lower MAX_WAITERS`,
    zh: `为 ${maxConnections}，小于 MAX_WAITERS（${maxWaiters}）：每个长轮询占用一个连接。请调高 MAX_CONNECTIONS 或调低 MAX_WAITERS`,
  })
}

/** Checks the tenants that the receivers of WEBHOOKS_FILE name. They are written like the tenants of the keys. */
function checkFileReceivers(reader: EnvReader, keys: BindKey[], { ofFile }: WebhookReceivers): void {
  const tenants = new Set(keys.map(({ tenant }) => tenant))
  for (const { name, tenant } of ofFile) {
    if (keys.length === 0 || tenant === undefined || tenants.has(tenant)) continue
    const list = [...tenants].join(', ')
    reader.addFault('WEBHOOKS_FILE', {
      en: `"${name}" names a tenant that no key has, so no event would be sent to it. The tenants of the keys are: ${list}`,
      zh: `“${name}”所指的租户没有密钥，因此不会被调用。密钥中的租户为：${list}`,
    })
  }
}

function checkWebhooks(reader: EnvReader, keys: BindKey[]): void {
  const tenants = new Set(keys.map(({ tenant }) => toSuffix(tenant)))
  for (const suffix of reader.suffixesOf('WEBHOOK_URL_')) {
    // If no key can be read, the tenants are unknown.
    if (keys.length === 0 || tenants.has(suffix)) continue
    const list = [...tenants].join(', ')
    reader.addFault(`WEBHOOK_URL_${suffix}`, {
      en: `names a tenant that no key has, so no event would be sent to it. The tenants of the keys are: ${list}`,
      zh: `所指的租户没有密钥，因此不会被调用。密钥中的租户为：${list}`,
    })
  }
  const secrets = ['', ...reader.suffixesOf('WEBHOOK_SECRET_').map((suffix) => `_${suffix}`)]
  for (const suffix of secrets) {
    const url = `WEBHOOK_URL${suffix}`
    if (reader.text(`WEBHOOK_SECRET${suffix}`) === undefined || reader.text(url) !== undefined) continue
    reader.addFault(`WEBHOOK_SECRET${suffix}`, {
      en: `needs ${url}: without a URL nothing is sent`,
      zh: `须与 ${url} 同时设置：没有网址则不会发送`,
    })
  }
}
