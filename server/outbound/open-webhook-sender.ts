/** Makes the sender of webhooks, wakes it after every commit, and measures its queues. */
import { randomUUID } from 'node:crypto'
import type { PresentReceivers } from '../config/present-receivers.ts'
import type { Store } from '../store/store.ts'
import { gaugeWebhooks } from '../telemetry/gauges.ts'
import { createWebhookSender, type WebhookDeps, type WebhookSender } from './webhook-sender.ts'

type SenderDeps = Omit<WebhookDeps, 'outbox' | 'webhooks' | 'holder'> & { store: Store; receivers: PresentReceivers }

/** Undefined if there can be no receiver. */
export function openWebhookSender({ store, receivers, ...deps }: SenderDeps): WebhookSender | undefined {
  if (!receivers.canExist) return undefined
  const sender = createWebhookSender({
    ...deps,
    outbox: store.outbox,
    webhooks: receivers.now,
    holder: randomUUID(),
  })
  store.onCommit(sender.wake)
  gaugeWebhooks(deps.metrics, store, deps.clock, receivers.names)
  return sender
}
