/** Delivers messages twice, late or in the wrong order. WeChat's rules for retries and replies still apply. */
import type { Deliver } from './delivery.ts'
import type { Delay } from './faults.ts'
import type { CallbackFault } from './views.ts'

type FaultyDeliveryDeps = { deliver: Deliver; fault: () => CallbackFault; delay: Delay; signal: AbortSignal }

// This delay is longer than the 5 s after which WeChat itself retries.
const LATE_MS = 8_000
// The maximum time for which a message waits for the next message.
const REORDER_TIMEOUT_MS = 10_000

export function createFaultyDelivery({ deliver, fault, delay, signal }: FaultyDeliveryDeps): Deliver {
  /** Delivers the message that waits for the next message. */
  let release: (() => void) | undefined
  const wait = (ms: number, until: AbortSignal = signal) => delay(ms, AbortSignal.any([signal, until])).catch(() => {})

  async function waitForNextMessage(): Promise<void> {
    const passed = new AbortController()
    release = () => passed.abort()
    await wait(REORDER_TIMEOUT_MS, passed.signal)
    release = undefined
  }

  return async (fields) => {
    switch (fault()) {
      case 'duplicate': {
        const reply = await deliver(fields)
        await deliver(fields)
        return reply
      }
      case 'delay':
        await wait(LATE_MS)
        return deliver(fields)
      case 'reorder': {
        if (!release) {
          await waitForNextMessage()
          return deliver(fields)
        }
        const reply = await deliver(fields)
        release?.()
        return reply
      }
      default:
        return deliver(fields)
    }
  }
}
