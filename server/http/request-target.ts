/**
 * Refuses request targets that a proxy and this server may interpret differently. A proxy may decode `%2f` and resolve `..` in
 * another order than `new URL` does. For example, nginx takes `/widget/x%2fy/../../metrics` for a path below `/widget/`, and the
 * app would answer `/metrics`. No route of this server needs `%`, `\`, `//` or a dot segment, so such a target gets 404.
 */
import type { MiddlewareHandler } from 'hono'
import { notFound } from './problem.ts'

// Matches segments of unreserved characters (RFC 3986) except `.` and `..`, each after one slash. A scheme and a host are allowed
// in front, because RFC 9112 requires a server to accept this form too.
const PLAIN = /^(?:https?:\/\/[\w.:[\]-]+)?(?:\/(?!\.\.?(?:\/|$))[\w.~-]+)*\/?$/i

/** `target` is a URL, or the target from the request line. The query is not checked. */
export function isPlainTarget(target: string): boolean {
  const queryAt = target.indexOf('?')
  return target !== '' && PLAIN.test(queryAt < 0 ? target : target.slice(0, queryAt))
}

/**
 * The check for the routes of the app. A runtime normalizes the URL before the app gets it, which removes `\` and dot segments.
 * With `@hono/node-server`, `c.env.incoming` is Node's request, which has the target as received. With other runtimes the check
 * can refuse only `%` and `//`.
 */
export const refuseUnusualTargets: MiddlewareHandler = (c, next) => {
  const { incoming } = (c.env ?? {}) as { incoming?: { url?: string } }
  const isReceivedPlain = incoming?.url === undefined || isPlainTarget(incoming.url)
  if (isReceivedPlain && isPlainTarget(new URL(c.req.url).pathname)) return next()
  // The log names no route, because the request reached no route.
  c.set('route', '*')
  throw notFound()
}
