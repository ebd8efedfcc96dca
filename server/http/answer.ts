/** An answer as plain values, and the security headers that every answer carries. */
import type { Context } from 'hono'
import type { ErrorCode } from '../errors.ts'
import { REQUEST_ID } from './request-log.ts'

/** `refusal` is the error code for the log and the metrics. `headers` override the security headers of the same name. */
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

/** Returns all headers that are sent with an answer. */
export const toHeaders = ({ headers }: Answer, requestId: string): Record<string, string> => ({
  ...SECURITY_HEADERS,
  [REQUEST_ID]: requestId,
  ...headers,
})

/** Sets the headers as one record, because setting them one by one through Hono costs 15 us per answer. */
export function toResponse(c: Context, answer: Answer): Response {
  const { status, body, refusal } = answer
  if (refusal !== undefined) c.set('refusal', refusal)
  return new Response(body, { status, headers: toHeaders(answer, c.get('requestId')) })
}

export const jsonAnswer = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
})

export const textAnswer = (body: string, status = 200): Answer => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
  body,
})
