/** All webhook receivers at the start, of the environment and of the file. Node only. */
import { BindError } from '../errors.ts'
import { toSuffix } from '../keys/keyring.ts'
import type { Config } from './config.ts'
import { noSuchTenant, type WebhookReceiver, type WebhookReceivers } from './webhook-receivers.ts'
import { readWebhooksFile } from './webhooks-file.ts'

/** Throws `BAD_CONFIG` if the file has a fault, or if a receiver names a tenant that no key has. */
export function readReceivers({ webhooks, webhooksFile }: Config, tenants: string[]): WebhookReceivers {
  const fromFile = webhooksFile === undefined ? [] : readWebhooksFile(webhooksFile)
  const faults = [
    ...webhooks.all.filter(hasNoKey((tenant) => toSuffix(tenant))).map(({ name }) => toFault(name, '', tenants)),
    ...fromFile.filter(hasNoKey((tenant) => tenant)).map(({ name }) => toFault('WEBHOOKS_FILE', `"${name}" `, tenants)),
  ]
  if (faults.length > 0) throw new BindError('BAD_CONFIG', faults.join('\n'))
  return webhooks.withFile(fromFile)

  function hasNoKey(fold: (tenant: string) => string) {
    const known = new Set(tenants.map(fold))
    return ({ tenant }: WebhookReceiver) => tenant !== undefined && !known.has(fold(tenant))
  }
}

function toFault(setting: string, entry: string, tenants: string[]): string {
  const { en, zh } = noSuchTenant(tenants)
  return `${setting}: ${entry}${en}\n    ${entry}${zh}`
}
