/** Deliveries that come twice, late or in the wrong order, on demand. What WeChat sees of them is what it would see. */
import type { Deliver } from './delivery.ts'
import type { CallbackFault, Delay } from './faults.ts'

type UnrulyDeps = { deliver: Deliver; fault: () => CallbackFault; delay: Delay; signal: AbortSignal }

// Longer than the 5 s after which WeChat itself would have sent again.
const LATE_MS = 8_000
// Nobody waits for ever to be overtaken.
const OVERTAKEN_WITHIN_MS = 10_000

export function createUnruly({ deliver, fault, delay, signal }: UnrulyDeps): Deliver {
  /** Lets the message go that waits to be overtaken. */
  let release: (() => void) | undefined
  const wait = (ms: number, until: AbortSignal = signal) => delay(ms, AbortSignal.any([signal, until])).catch(() => {})

  async function overtaken(): Promise<void> {
    const passed = new AbortController()
    release = () => passed.abort()
    await wait(OVERTAKEN_WITHIN_MS, passed.signal)
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
          await overtaken()
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
