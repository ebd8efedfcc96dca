/** Writes the log lines of the webhook sender. A receiver that fails causes a warning with the fix, at most once a minute. */
import type { Log } from '../platform.ts'
import type { Failure, ReceiverState } from '../store/outbox.ts'
import { adviceFor } from './webhook-advice.ts'

const MINUTE_MS = 60_000

/** No line contains a URL, which may contain a secret. */
export function createWebhookLog(log: Log, clock: () => number) {
  const nextAt = new Map<string, number>()

  function isDue(name: string): boolean {
    const now = clock()
    if (now < (nextAt.get(name) ?? 0)) return false
    nextAt.set(name, now + MINUTE_MS)
    return true
  }

  return {
    /** `next` is the next attempt of the notice, undefined after the last one. */
    refused({ name, status, pausedUntil }: ReceiverState, failure: Failure, next: number | undefined): void {
      if (!isDue(name)) return
      const nextTry =
        next === undefined || status !== 'on' ? null : new Date(Math.max(next, pausedUntil ?? 0)).toISOString()
      const fields = { receiver: name, ...shown(failure), nextTry }
      log.warn(fields, `a webhook was not accepted: ${adviceFor(failure).en}`)
    },
    switchedOff({ name, status, failingSince, lastFailure }: ReceiverState): void {
      const since = failingSince === null ? null : new Date(failingSince).toISOString()
      const why = status === 'gone' ? 'it answered 410' : 'it has failed for five days'
      log.error(
        { receiver: name, ...shown(lastFailure), since },
        `a webhook receiver is switched off, because ${why}. Its events are kept. Enable it with "wechat-bind webhooks enable ${name}"`,
      )
    },
    acceptsAgain(receiver: string): void {
      nextAt.delete(receiver)
      log.info({ receiver }, 'the webhook receiver accepts again')
    },
    storeFailed(error: unknown): void {
      const code = (error as { code?: string }).code
      log.warn({ code }, 'the webhook outbox could not be read or written; the server tries again in 5 s')
    },
  }
}

const shown = ({ status, error }: Failure) => (status === null ? { error } : { status })
