/** Sends an event `webhook.test` to a receiver. */
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import { takeRandom } from '../crypto.ts'
import type { WebhookPayload } from '../wire.ts'
import { sendWebhook, type WebhookAnswer } from './webhook-request.ts'

type TestDeps = Parameters<typeof sendWebhook>[0]

/** Version 0 is older than every change, so a receiver that does not know the type changes nothing. */
export function sendTest(deps: TestDeps, receiver: WebhookReceiver): Promise<WebhookAnswer> {
  const payload: WebhookPayload = {
    type: 'webhook.test',
    timestamp: new Date(deps.clock()).toISOString(),
    data: { Tenant: receiver.tenant ?? '', Account: '', User_ID: '', Version: 0, Reason: 'test' },
  }
  const id = `evt_${takeRandom(16).toString('base64url')}`
  return sendWebhook(deps, receiver, { id, body: JSON.stringify(payload) })
}
