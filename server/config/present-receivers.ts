/**
 * The current webhook receivers: the receivers of the environment, and the receivers of `WEBHOOKS_FILE`, which may change. Node
 * only.
 */
import type { Log } from '../platform.ts'
import type { Config } from './config.ts'
import type { WebhookReceivers } from './webhook-receivers.ts'
import { watchWebhooksFile } from './webhooks-file.ts'

export type PresentReceivers = {
  now: () => WebhookReceivers
  names: () => string[]
  /** Whether there can ever be a receiver. */
  canExist: boolean
  /** Ends the watch of the file. */
  stop(): void
}

export function openReceivers({ webhooks, webhooksFile }: Config, log: Log): PresentReceivers {
  let present = webhooks
  const now = () => present
  const names = () => present.all.map(({ name }) => name)
  if (webhooksFile === undefined) return { now, names, canExist: webhooks.all.length > 0, stop() {} }
  const watch = watchWebhooksFile(
    webhooksFile,
    (receivers) => {
      present = webhooks.withFile(receivers)
    },
    log,
  )
  return { now, names, canExist: true, stop: watch.stop }
}
