/** Sends one request to a webhook receiver, signed as Standard Webhooks defines, and interprets the answer. */
import { Webhook as Signer } from 'standardwebhooks'
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import { type Fetch, readCapped, type SetTimer } from '../platform.ts'
import type { Failure } from '../store/outbox.ts'
import { type Refusal, readRetryAfter } from './webhook-schedule.ts'

/** `status` of an accepted request is 200 to 299. */
export type WebhookAnswer = { accepted: true; status: number } | ({ accepted: false } & Refusal)

type RequestDeps = { fetch: Fetch /** Epoch ms. */; clock: () => number; setTimer: SetTimer }

/** `id` is the `webhook-id`, `body` the JSON text. */
type Message = { id: string; body: string }

// The specification recommends 15 to 30 s. A receiver that needs more time should answer first and do the work later.
const TIMEOUT_MS = 20_000

// The answer's content is not used. It is read only so that the connection can be used again.
const MAX_ANSWER = 64 * 1024

/** Never throws. `closing` aborts the request. */
export async function sendWebhook(
  { fetch, clock, setTimer }: RequestDeps,
  { url, secrets }: WebhookReceiver,
  { id, body }: Message,
  closing?: AbortSignal,
): Promise<WebhookAnswer> {
  const now = new Date(clock())
  const headers = {
    'Content-Type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Signer(secret).sign(id, now, body)).join(' '),
  }
  const controller = new AbortController()
  const abort = () => controller.abort()
  let isLate = false
  const cancelTimer = setTimer(() => {
    isLate = true
    abort()
  }, TIMEOUT_MS)
  closing?.addEventListener('abort', abort)
  const { signal } = controller
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await readCapped(response, MAX_ANSWER).catch(() => {})
    const { status, ok } = response
    if (ok) return { accepted: true, status }
    const retryAfterMs = readRetryAfter(response.headers.get('Retry-After'), clock())
    return { accepted: false, failure: { status, error: null }, retryAfterMs }
  } catch (error) {
    const code = isLate ? 'TIMEOUT' : codeOf(error)
    return { accepted: false, failure: { status: null, error: code }, retryAfterMs: undefined }
  } finally {
    cancelTimer()
    closing?.removeEventListener('abort', abort)
  }
}

/** The code of the socket's error, for example ECONNREFUSED. The message is not used, because it may contain the URL. */
function codeOf(error: unknown): string {
  const { cause, code, name } = error as { cause?: { code?: unknown }; code?: unknown; name?: string }
  const text = cause?.code ?? code
  return typeof text === 'string' && /^\w{1,60}$/.test(text) ? text : (name ?? 'unknown')
}

/** For example `HTTP 503`, or `ECONNREFUSED`. */
export const failureText = ({ status, error }: Failure) => (status === null ? (error ?? 'unknown') : `HTTP ${status}`)
