/**
 * An answer that is sent later. `GET /widget/binding` waits for up to 25 s, and thousands of pages wait at once.
 *
 * Steps: The endpoint returns a `DeferredAnswer` instead of an `Answer`. The adapter calls `start` once with the client. The
 * endpoint registers with `onHangUp`, keeps the client, and calls `send` when it has an answer. The endpoint's promise has
 * already settled, so no promise and no stack frame stays in memory while the page waits.
 *
 * What could go wrong: A closure that captures the request would keep its headers, parser and frames in memory during the wait.
 * So an adapter makes the client in a separate function, from single values, and an endpoint keeps only the values that its
 * answer needs. A client may disconnect before `start` or before `send`. `send` does nothing after the client has disconnected.
 *
 * Why: On Node's server a waiting page takes about as much memory as with bare `node:http` (`npm run bench waiters`). A handler
 * that awaits a promise takes twice as much.
 */
import type { Answer } from './answer.ts'

export type WaitingClient = {
  /** Call once. */
  send(answer: Answer): void
  /** Calls `listener` once if the client disconnects, or immediately if it has disconnected already. */
  onHangUp(listener: () => void): void
}

export type DeferredAnswer = {
  /** Headers that are added to the answer. */
  headers: Record<string, string>
  start(client: WaitingClient): void
}

export const isDeferred = (result: Answer | DeferredAnswer): result is DeferredAnswer => 'start' in result

/** Adds headers. A header that the answer already has is kept. */
export const withHeaders = <T extends Answer | DeferredAnswer>(result: T, headers: Record<string, string>): T => ({
  ...result,
  headers: { ...headers, ...result.headers },
})
