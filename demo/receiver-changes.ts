/**
 * Makes the webhook sender react at once when the demo's receiver begins to answer in another way. Otherwise a tester
 * would wait for the next retry.
 */
import type { Outbox } from '../server/store/outbox.ts'
import type { Conditions } from './conditions.ts'
import type { Delay } from './simulator/faults.ts'

type Receiver = Conditions['receiver']

type ReceiverDeps = {
  /** The receiver's current way of answering. */
  current: () => Receiver
  outbox: () => Pick<Outbox, 'enable' | 'retry'>
  delay: Delay
  signal: AbortSignal
}

const RESEND_AGAIN_MS = 1_000

export function createReceiverChanges({ current, outbox, delay, signal }: ReceiverDeps) {
  /** The receiver's previous way of answering. */
  let last: Receiver = 'up'

  /** Enables a receiver that was switched off after a 410, and retries the waiting notices. */
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

    /** The demo calls this function after each change of conditions. */
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
