/** Faults of WeChat's API on demand: an errcode, slowness, an outage. */
import { WechatRefusal } from './errcode.ts'

export type Faults = ReturnType<typeof createFaults>

/** Resolves after `ms`, rejects when the signal aborts. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>

export function createFaults({ delay, signal }: { delay: Delay; signal: AbortSignal }) {
  const errcodes = new Map<string, { errcode: number; times: number }>()
  const delaysMs = new Map<string, number>()
  let isDown = false

  function failure(path: string): WechatRefusal | undefined {
    const planned = errcodes.get(path)
    if (!planned) return undefined
    planned.times -= 1
    if (planned.times <= 0) errcodes.delete(path)
    return new WechatRefusal(planned.errcode)
  }

  return {
    /** The next `times` calls of `path` answer `errcode`. */
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
    clear(): void {
      errcodes.clear()
      delaysMs.clear()
      isDown = false
    },
    isDown: () => isDown,
    /** Waits and throws as planned for this call. */
    async apply(path: string): Promise<void> {
      const ms = delaysMs.get(path) ?? 0
      if (ms > 0) await delay(ms, signal)
      const refusal = failure(path)
      if (refusal) throw refusal
    },
  }
}
