/**
 * The settings of simulated WeChat failures: errcodes, slow responses, an outage, and faulty callbacks. The modules
 * api.ts, delivery.ts and faulty-delivery.ts apply these settings.
 */
import { WechatRefusal } from './errcodes.ts'
import type { CallbackFault } from './views.ts'

export type Faults = ReturnType<typeof createFaults>

/** Resolves after `ms`, rejects when the signal aborts. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>

export const callbackFaults = [
  'none',
  'duplicate',
  'delay',
  'reorder',
  'drop',
  'tamper',
] as const satisfies CallbackFault[]

/** This value in place of a path stands for all paths of the API. */
export const EVERY_PATH = '*'

/** Looks up the faults at each use, because they depend on the visitor. */
export const createCurrentFaults = (current: () => Faults): Faults => ({
  fail: (...args) => current().fail(...args),
  slow: (...args) => current().slow(...args),
  setDown: (down) => current().setDown(down),
  setCallback: (fault) => current().setCallback(fault),
  clear: () => current().clear(),
  isDown: () => current().isDown(),
  callback: () => current().callback(),
  apply: (path) => current().apply(path),
})

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
    /** The API answers the next `times` calls of `path` with `errcode`. With `Infinity` it does so until `clear`. */
    fail(path: string, errcode: number, times = 1): void {
      errcodes.set(path, { errcode, times })
    },
    /** Delays every call of `path` by `ms`; 0 removes the delay. */
    slow(path: string, ms: number): void {
      delaysMs.set(path, ms)
    },
    /** The API answers every call with 502 and an HTML page, like a proxy whose upstream is unavailable. */
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
    /** Applies the delay and the errcode set for this path. */
    async apply(path: string): Promise<void> {
      const ms = delaysMs.get(path) ?? delaysMs.get(EVERY_PATH) ?? 0
      if (ms > 0) await delay(ms, signal)
      const refusal = failure(path)
      if (refusal) throw refusal
    },
  }
}
