/** Forwards deliveries, byte for byte, to the system that owned the callback before. Keeps WeChat's time limit. */

import { type Fetch, readCapped, systemTimeLimit, type TimeLimit } from '../platform.ts'
import { toCause } from '../telemetry/cause.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Warn } from '../telemetry/warnings.ts'

/** The bytes of a delivery as received, because the other system verifies WeChat's signature over these bytes. */
export type RawDelivery = { search: string; body: Uint8Array<ArrayBuffer>; contentType: string | undefined }

type Relayed = { body: Uint8Array<ArrayBuffer>; contentType: string }

export type Forwarder = {
  /** Whether events about binding are sent too (`FORWARD_ALL`). */
  sendsAll: boolean
  /** Whether WeChat gets `success` for a message that the other system did not accept (`FORWARD_ERRORS=hide`). */
  hidesErrors: boolean
  /** Returns the other system's reply, or undefined if that system is down, late, or answers with an error. Never throws. */
  relay(delivery: RawDelivery): Promise<Relayed | undefined>
  /** Sends the delivery in the background and ignores the reply. */
  notify(delivery: RawDelivery): void
  /** Resolves when no request is in flight. */
  idle(): Promise<void>
}

type ForwardSettings = { forwardUrl: string | undefined; forwardAll: boolean; forwardErrors: 'retry' | 'hide' }

type ForwarderDeps = { fetch: Fetch; metrics: Metrics; warn: Warn; timeoutMs?: number; timeLimit?: TimeLimit }

// WeChat disconnects after 5 s. The remaining half second is for the reply to WeChat.
const TIMEOUT_MS = 4_500

// Limits the memory for requests while the other system does not answer. Above the limit WeChat is answered at once.
const MAX_AT_ONCE = 1_000

// Limits the bytes of these requests. A body has up to 64 KiB, and `notify` keeps the body after WeChat's request was answered.
const MAX_BYTES_AT_ONCE = 16 * 1024 * 1024

// A passive reply is XML of a few hundred bytes, or of a few KiB with news and pictures.
const MAX_REPLY = 64 * 1024

/** Returns undefined without `FORWARD_URL`. */
export function createForwarder(
  { forwardUrl, forwardAll, forwardErrors }: ForwardSettings,
  { fetch, metrics, warn, timeoutMs = TIMEOUT_MS, timeLimit = systemTimeLimit }: ForwarderDeps,
): Forwarder | undefined {
  if (forwardUrl === undefined) return undefined
  const underway = new Set<Promise<unknown>>()
  let bytes = 0

  async function send({ search, body, contentType }: RawDelivery): Promise<Relayed> {
    const response = await fetch(withSearch(forwardUrl as string, search), {
      method: 'POST',
      headers: { 'Content-Type': contentType ?? 'text/xml' },
      body,
      redirect: 'manual',
      signal: timeLimit(timeoutMs),
    })
    if (!response.ok) {
      await response.body?.cancel()
      throw Object.assign(new Error(`HTTP ${response.status}`), { name: 'HTTP' })
    }
    const reply = await readCapped(response, MAX_REPLY)
    return { body: reply, contentType: response.headers.get('Content-Type') ?? 'text/plain; charset=utf-8' }
  }

  async function relay(delivery: RawDelivery, success: 'replied' | 'told'): Promise<Relayed | undefined> {
    const { length } = delivery.body
    if (underway.size >= MAX_AT_ONCE || bytes + length > MAX_BYTES_AT_ONCE) {
      return fail('crowded', `${underway.size} messages are in flight`)
    }
    const sending = send(delivery)
    underway.add(sending)
    bytes += length
    try {
      const relayed = await sending
      metrics.forwards.inc({ outcome: success })
      return relayed
    } catch (error) {
      return fail((error as Error).name === 'TimeoutError' ? 'late' : 'failed', error)
    } finally {
      underway.delete(sending)
      bytes -= length
    }
  }

  function fail(outcome: 'crowded' | 'failed' | 'late', cause: unknown): undefined {
    metrics.forwards.inc({ outcome })
    warn('forward', { outcome, cause: toCause(cause) })
  }

  return {
    sendsAll: forwardAll,
    hidesErrors: forwardErrors === 'hide',
    relay: (delivery) => relay(delivery, 'replied'),
    notify: (delivery) => void relay(delivery, 'told'),
    async idle() {
      await Promise.allSettled(underway)
    },
  }
}

/** Appends the query unchanged to the configured URL, which may have a query of its own. */
function withSearch(url: string, search: string): string {
  return url.includes('?') ? `${url}&${search.slice(1)}` : url + search
}
