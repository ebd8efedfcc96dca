/**
 * The part of a webhook receiver that does not depend on its server: verifies the signature over the raw body, ignores repeated ids
 * and older versions, and stores the change before it answers.
 */
import { Webhook } from 'standardwebhooks'

export type BindingEvent = {
  type: 'binding.bound' | 'binding.unbound' | 'binding.updated' | 'webhook.test'
  timestamp: string
  data: {
    Tenant: string
    Account: string
    User_ID: string
    Version: number
    Reason: string
    OpenId?: string | null
    UnionId?: string | null
    AppId?: string | null
  }
}

/** Stores the change and returns. Do slow work in a job: the server waits 20 s, then sends the event again. */
export type StoreChange = (event: BindingEvent) => Promise<void>

/** Returns the status to answer. */
export type Receive = (body: string, headers: Record<string, string>) => Promise<number>

// Keep the ids of a few days: the server repeats an event for three days.
const MAX_IDS = 100_000

/** `secret`: `whsec_…`. In your own receiver use database tables instead of the two maps, and write them in the transaction of the change. */
export function createReceive(secret: string, storeChange: StoreChange): Receive {
  const webhook = new Webhook(secret)
  const seenIds = new Set<string>()
  const versions = new Map<string, number>()

  return async (body, headers) => {
    let event: BindingEvent
    try {
      event = webhook.verify(body, headers) as BindingEvent
    } catch {
      return 401
    }
    const id = headers['webhook-id'] ?? ''
    if (seenIds.has(id)) return 204
    const { Tenant, Account, User_ID, Version } = event.data
    const user = JSON.stringify([Tenant, Account, User_ID])
    if (Version > (versions.get(user) ?? 0)) {
      // If this throws, the answer is 500, and the server sends the event again.
      await storeChange(event)
      versions.set(user, Version)
    }
    seenIds.add(id)
    if (seenIds.size > MAX_IDS) seenIds.delete(seenIds.values().next().value ?? '')
    return 204
  }
}
