/** Faults of WeChat on demand: an errcode, slowness, an outage, and callbacks that come wrong. */
import { WechatRefusal } from './errcodes.ts'

export type Faults = ReturnType<typeof createFaults>

/** Resolves after `ms`, rejects when the signal aborts. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * What happens to a message on its way to the callback URL. `duplicate`: it comes twice. `delay`: 8 s late. `reorder`: after
 * the next one. `drop`: never. `tamper`: with a byte changed.
 */
export const callbackFaults = ['none', 'duplicate', 'delay', 'reorder', 'drop', 'tamper'] as const
export type CallbackFault = (typeof callbackFaults)[number]

/** Stands for every path of the API. */
export const EVERY_PATH = '*'

export function createFaults({ delay, signal }: { delay: Delay; signal: AbortSignal }) {
  const errcodes = new Map<string, { errcode: number; times: number }>()
  const delaysMs = new Map<string, number>()
  let isDown = false
  let callback: CallbackFault = 'none'

  function failure(path: string): WechatRefusal | undefined {
    const key = errcodes.has(path) ? path : EVERY_PATH
    const planned = errcodes.get(key)
    if (!planned) return undefined
    planned.times -= 1
    if (planned.times <= 0) errcodes.delete(key)
    return new WechatRefusal(planned.errcode)
  }

  return {
    /** The next `times` calls of `path` answer `errcode`; `Infinity`: until `clear`. */
    fail(path: string, errcode: number, times = 1): void {
      errcodes.set(path, { errcode, times })
    },
    /** Every call of `path` takes this much longer; 0 ends it. */
    slow(path: string, ms: number): void {
      delaysMs.set(path, ms)
    },
    /** Every call answers 502 with a page of HTML, as a dead upstream does. */
    setDown(down: boolean): void {
      isDown = down
    },
    setCallback(fault: CallbackFault): void {
      callback = fault
    },
    clear(): void {
      errcodes.clear()
      delaysMs.clear()
      isDown = false
      callback = 'none'
    },
    isDown: () => isDown,
    callback: () => callback,
    /** Waits and throws as planned for this call. */
    async apply(path: string): Promise<void> {
      const ms = delaysMs.get(path) ?? delaysMs.get(EVERY_PATH) ?? 0
      if (ms > 0) await delay(ms, signal)
      const refusal = failure(path)
      if (refusal) throw refusal
    },
  }
}
