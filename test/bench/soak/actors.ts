/**
 * Runs actions at constant rates and counts how they end. A slow action does not delay the next action, because users
 * do not wait for each other.
 */
import { BindError } from '../../../server/errors.ts'

export type Counted = { done: number; refused: number; failed: number; firstFailure: string | undefined }

const TICK_MS = 20
const MOST_MADE_UP_MS = 1_000

/** `isExpected` returns whether the cause of an error is outside the server, for example because WeChat is down. */
export function createActors(isExpected: (error: unknown) => boolean) {
  const counts = new Map<string, Counted>()
  const running = new Set<Promise<void>>()
  const stops: (() => void)[] = []
  let isOver = false

  function run(name: string, action: () => Promise<unknown>): void {
    const counted = counts.get(name) ?? { done: 0, refused: 0, failed: 0, firstFailure: undefined }
    counts.set(name, counted)
    const one = action()
      .then(
        () => void counted.done++,
        (error) => {
          // An action that the end of the run interrupts is not a failure.
          if (isOver) return
          if (isExpected(error)) counted.refused++
          else {
            counted.failed++
            counted.firstFailure ??= textOf(error)
          }
        },
      )
      .finally(() => running.delete(one))
    running.add(one)
  }

  return {
    counts,
    run,
    /** Starts the action at a constant rate. */
    perSecond(rate: number, name: string, action: () => Promise<unknown>): void {
      let seenAt = performance.now()
      let due = 0
      const timer = setInterval(() => {
        const now = performance.now()
        // Without this limit, a bench that was suspended would then start all missed actions at once.
        due += (Math.min(now - seenAt, MOST_MADE_UP_MS) / 1000) * rate
        seenAt = now
        for (; due >= 1; due--) run(name, action)
      }, TICK_MS)
      stops.push(() => clearInterval(timer))
    },
    /** Runs the action repeatedly, with a pause after each run, until the soak ends. */
    again(name: string, pauseMs: number, action: () => Promise<unknown>): void {
      let timer: NodeJS.Timeout
      const next = () => {
        if (isOver) return
        run(name, async () => {
          try {
            return await action()
          } finally {
            timer = setTimeout(next, pauseMs)
          }
        })
      }
      next()
      stops.push(() => clearTimeout(timer))
    },
    /** Starts no more actions, and waits for the running actions for at most `withinMs`. */
    async stop(withinMs: number): Promise<void> {
      isOver = true
      for (const stop of stops) stop()
      const late = new Promise((resolve) => setTimeout(resolve, withinMs).unref())
      await Promise.race([Promise.all(running), late])
    },
  }
}

function textOf(error: unknown): string {
  const { message, cause } = error as Error
  const text = error instanceof BindError ? `${error.code}: ${message}` : message
  return cause === undefined ? text : `${text} (${textOf(cause)})`
}
