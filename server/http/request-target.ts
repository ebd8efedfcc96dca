/**
 * Refuses request targets that two programs can read differently. A proxy decodes `%2f` and resolves `..` in another order than
 * `new URL` does: nginx takes `/widget/x%2fy/../../metrics` for a path below `/widget/`, and the app would answer `/metrics`.
 * No route of this server needs `%`, `\\`, `//` or a dot segment, so a target with one of them gets 404, as any unknown path.
 */
import type { MiddlewareHandler } from 'hono'
import { notFound } from './problem.ts'

// Segments of unreserved characters (RFC 3986), neither `.` nor `..`, each after one slash. Scheme and host may come first:
// RFC 9112 requires a server to accept this form, too.
const PLAIN = /^(?:https?:\/\/[\w.:[\]-]+)?(?:\/(?!\.\.?(?:\/|$))[\w.~-]+)*\/?$/i

/** `target`: as the request line has it, or a URL. The query may hold anything. */
export function isPlainTarget(target: string): boolean {
  const queryAt = target.indexOf('?')
  return target !== '' && PLAIN.test(queryAt < 0 ? target : target.slice(0, queryAt))
}

/**
 * For the routes of the app. A runtime normalizes the URL before the app sees it: `\\` and dot segments are gone. On
 * `@hono/node-server` the bindings hold Node's request with the target as received; elsewhere only `%` and `//` can be refused.
 */
export const refuseUnusualTargets: MiddlewareHandler = (c, next) => {
  const { incoming } = (c.env ?? {}) as { incoming?: { url?: string } }
  if (isPlainTarget(incoming?.url ?? c.req.url) && isPlainTarget(new URL(c.req.url).pathname)) return next()
  // No route in the log: the request reached none.
  c.set('route', '*')
  throw notFound()
}
