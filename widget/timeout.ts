/** The time limits of requests, and the function that enforces the limits. */
import { BindError } from './bind-error.ts'

/** Seconds that the server may hold a poll open (`Prefer: wait=25`). 25 is the server's maximum. */
export const POLL_WAIT_SECONDS = 25
export const REQUEST_TIMEOUT_MS = 10_000
export const POLL_TIMEOUT_MS = POLL_WAIT_SECONDS * 1000 + REQUEST_TIMEOUT_MS

/**
 * Runs `run` and aborts it after `ms`. Rejects with the signal's reason when `signal` aborts, and with a BindError
 * after any other failure.
 */
export async function withTimeout<Value>(
  ms: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const inner = new AbortController()
  const abort = () => inner.abort()
  const timer = setTimeout(abort, ms)
  signal.addEventListener('abort', abort)
  try {
    if (signal.aborted) throw signal.reason
    const end = new Promise<never>((_, reject) => inner.signal.addEventListener('abort', reject))
    return await Promise.race([run(inner.signal), end])
  } catch (cause) {
    // Not `throwIfAborted()`, which browsers of 2021 lack.
    if (signal.aborted) throw signal.reason
    if (cause instanceof BindError) throw cause
    const isLate = inner.signal.aborted
    throw new BindError(isLate ? 'TIMEOUT' : 'NETWORK', isLate ? 'No response in time' : 'No connection', {
      retryable: true,
      cause,
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
