/** An answer as plain values, and what every answer says to a browser: nothing here is a page, a frame, a guess at a type, or to be kept. */
import type { Context } from 'hono'
import type { ErrorCode } from '../errors.ts'
import { REQUEST_ID } from './request-log.ts'

/** `refusal`: why it is none. `headers` may say otherwise than the common ones, as the widget's file does of its cache. */
export type Answer = {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer> | null
  refusal?: ErrorCode
}

const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

export const commonHeaders = (requestId: string): Record<string, string> => ({
  ...SECURITY_HEADERS,
  [REQUEST_ID]: requestId,
})

/** All headers in one record: set one by one before, each passes through a `Headers` twice, some 15 us an answer. */
export function toResponse(c: Context, { status, headers, body, refusal }: Answer): Response {
  if (refusal !== undefined) c.set('refusal', refusal)
  return new Response(body, { status, headers: { ...commonHeaders(c.get('requestId')), ...headers } })
}

export const toJson = (c: Context, value: unknown, status = 200): Response =>
  toResponse(c, { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) })

export const plainText = (body: string, status = 200): Answer => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  body,
})
