/**
 * An answer that is given later. `GET /widget/binding` waits for up to 25 s, and thousands of pages wait at once.
 *
 * Steps: the endpoint returns a `DeferredAnswer` instead of an `Answer`; the adapter calls `start` once with the client; the
 * endpoint registers for a hang-up, keeps the client, and calls `send` when there is something to say. The endpoint's promise
 * has settled by then: no promise and no stack frame waits with the page.
 *
 * What could go wrong: a closure that captures the request keeps its headers, parser and frames for the whole wait. So an
 * adapter makes the client in a function of its own, from single values, and an endpoint keeps only what its answer needs. A
 * client may hang up before `start`, between `start` and `send`, or never; `send` after a hang-up does nothing.
 *
 * Why: on Node's server a waiting page costs about what bare `node:http` needs for it (`npm run bench waiters`); a handler
 * that awaits a promise costs twice as much.
 */
import type { Answer } from './answer.ts'

export type WaitingClient = {
  /** Call once. */
  send(answer: Answer): void
  /** Calls `listener` at most once; immediately if the client has hung up already. */
  onHangUp(listener: () => void): void
}

export type DeferredAnswer = {
  /** Added to the headers of the answer that is sent. */
  headers: Record<string, string>
  start(client: WaitingClient): void
}

export const isDeferred = (result: Answer | DeferredAnswer): result is DeferredAnswer => 'start' in result

/** With headers beside its own, which win. */
export const withHeaders = <T extends Answer | DeferredAnswer>(result: T, headers: Record<string, string>): T => ({
  ...result,
  headers: { ...headers, ...result.headers },
})
