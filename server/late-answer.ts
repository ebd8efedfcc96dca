/**
 * An answer that is given later: a page may wait for half a minute, and thousands do at once. Where the process serves by
 * itself, it hands over the socket's side of the answer, and all else of the request is let go.
 */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** An answer as plain values. */
export type Answer = { status: number; headers: Record<string, string>; body: string | null }

/** What we ask of Node's `ServerResponse`. */
export type Outgoing = {
  readonly headersSent: boolean
  readonly destroyed: boolean
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body?: string): unknown
  once(event: 'close', listener: () => void): unknown
}

/** Bindings of the app. `late` is set by who serves nothing but this app: middlewares around it see no end of such a request. */
export type LateBindings = { late?: Outgoing }

export type LateAnswer = {
  /** To be returned by the handler. */
  response: Promise<Response>
  send(answer: Answer): void
  onHangUp(listener: () => void): void
}

export function answerLater(c: Context): LateAnswer {
  const { late } = (c.env ?? {}) as LateBindings
  return late ? overSocket(late, Object.fromEntries(c.res.headers)) : overPromise(c)
}

export const toResponse = (c: Context, { status, headers, body }: Answer): Response =>
  c.newResponse(body, status as ContentfulStatusCode, headers)

// nginx's word for a client that closed the request.
const GONE = 499 as ContentfulStatusCode

function overSocket(outgoing: Outgoing, common: Record<string, string>): LateAnswer {
  return {
    // Nothing can settle it, so nothing holds those who wait for it: the request, its middlewares and all of their frames are
    // free at once, which is half of what a waiting page would cost.
    response: new Promise(() => {}),
    send({ status, headers, body }) {
      if (outgoing.headersSent || outgoing.destroyed) return
      outgoing.writeHead(status, { ...common, ...headers })
      outgoing.end(body ?? undefined)
    },
    onHangUp: (listener) => outgoing.once('close', listener),
  }
}

function overPromise(c: Context): LateAnswer {
  const { promise, resolve } = Promise.withResolvers<Response>()
  const { signal } = c.req.raw
  return {
    response: promise,
    send: (answer) => resolve(toResponse(c, answer)),
    onHangUp(listener) {
      const hangUp = () => {
        listener()
        // Nobody reads it; what waits for an answer here must come to its end.
        resolve(c.body(null, GONE))
      }
      if (signal.aborted) hangUp()
      else signal.addEventListener('abort', hangUp, { once: true })
    },
  }
}
