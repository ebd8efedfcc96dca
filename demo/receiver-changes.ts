/** Shows the webhook sender's reaction at once when the demo's receiver begins to answer in another way. */
import type { Outbox } from '../server/store/outbox.ts'
import type { Conditions } from './conditions.ts'
import type { Delay } from './simulator/faults.ts'

type Receiver = Conditions['receiver']

type ReceiverDeps = {
  /** How the receiver answers now. */
  current: () => Receiver
  outbox: () => Pick<Outbox, 'enable' | 'retry'>
  delay: Delay
  signal: AbortSignal
}

const RESEND_AGAIN_MS = 1_000

export function createReceiverChanges({ current, outbox, delay, signal }: ReceiverDeps) {
  /** The receiver's last answer. */
  let last: Receiver = 'up'

  /** Enables a receiver that answered 410, and retries the waiting notices. */
  async function resend(): Promise<void> {
    const now = Date.now()
    await Promise.all([outbox().enable('WEBHOOK_URL', now), outbox().retry(now)])
  }

  return {
    /** Returns how the receiver answers this request. */
    next(): Receiver {
      last = current()
      return last
    },

    /** To be called after each change of conditions. */
    async onConditions(): Promise<void> {
      if (current() === last) return
      last = current()
      await resend()
      // The server may not have saved the last failure yet.
      await delay(RESEND_AGAIN_MS, signal)
      await resend()
    },
  }
}
