/** Refuses a body that is too large, before it is read where its length is told. */
import type { MiddlewareHandler } from 'hono'
import { bodyLimit as countingLimit } from 'hono/body-limit'
import { tooLarge } from './problem.ts'

/** Throws `TOO_LARGE`. Hono's own looks at the body first, for which a whole `Request` is made. */
export function bodyLimit(maxSize: number): MiddlewareHandler {
  const count = countingLimit({ maxSize })
  return async (c, next) => {
    // Nobody reads a body there; a long-poll must not carry such a `Request` while it waits.
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const length = c.req.header('Content-Length')
    // Without a length, or in chunks whatever the length says, it has to be counted.
    if (length === undefined || c.req.header('Transfer-Encoding') !== undefined) return count(c, next)
    if (!(Number(length) <= maxSize)) throw tooLarge()
    await next()
  }
}
