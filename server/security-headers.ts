/** What every answer says to a browser: nothing here is a page, a frame, a guess at a type, or to be kept. */
import type { MiddlewareHandler } from 'hono'

/** A route may say otherwise of its own, as the widget's file does of its cache. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

export const securityHeaders: MiddlewareHandler = async (c, next) => {
  for (const [name, value] of Object.entries(HEADERS)) c.header(name, value)
  await next()
}
