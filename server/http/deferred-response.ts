/**
 * An answer that is given later: a page may wait for half a minute, and thousands do at once. Where the process serves by
 * itself, it hands over the socket's side of the answer, and all else of the request is let go.
 */
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type Answer, commonHeaders, toResponse } from './answer.ts'
import { GONE, type Report } from './request-log.ts'

/** What we ask of Node's `ServerResponse`. */
export type Outgoing = {
  readonly headersSent: boolean
  readonly destroyed: boolean
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body?: string | Uint8Array): unknown
  on(event: 'close', listener: () => void): unknown
  removeAllListeners(event: 'close'): unknown
  readonly req: { headers: object; rawHeaders: string[] }
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
  if (!late) return overPromise(c)
  const own = Object.fromEntries(c.res.headers)
  // Hono's cors names it after the handler, which this answer is not there for.
  own.vary = 'Origin'
  // What the request still holds is a tenth of what a page that waits costs: its headers, with the token, and node-server's
  // listener, which holds the request to abort what nobody waits for any more.
  late.removeAllListeners('close')
  late.req.headers = {}
  late.req.rawHeaders = []
  return overSocket(late, c.get('requestId'), own, c.get('report'), routePath(c))
}

/** Its own function, so that its closures keep nothing of the request. */
function overSocket(
  outgoing: Outgoing,
  requestId: string,
  own: Record<string, string>,
  report: Report | undefined,
  route: string,
): LateAnswer {
  return {
    // Nothing can settle it, so nothing holds those who wait for it: the request, its middlewares and all of their frames are
    // free at once, which is half of what a waiting page would cost.
    response: new Promise(() => {}),
    send({ status, headers, body, refusal }) {
      if (outgoing.headersSent || outgoing.destroyed) return
      outgoing.writeHead(status, { ...commonHeaders(requestId), ...own, ...headers })
      outgoing.end(body ?? undefined)
      report?.(route, status, refusal)
    },
    onHangUp(listener) {
      const hangUp = () => {
        listener()
        if (!outgoing.headersSent) report?.(route, GONE, undefined)
      }
      // While the store was asked the page may have gone.
      if (outgoing.destroyed) hangUp()
      else outgoing.on('close', hangUp)
    },
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
        resolve(c.body(null, GONE as ContentfulStatusCode))
      }
      if (signal.aborted) hangUp()
      else signal.addEventListener('abort', hangUp, { once: true })
    },
  }
}
