/** Relays deliveries to the system that owned the callback before, byte for byte, within the time that WeChat grants. */

import type { Fetch } from '../platform.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** A delivery as it came: what the other system verifies must be what WeChat signed. */
export type RawDelivery = { search: string; body: Uint8Array<ArrayBuffer>; contentType: string | undefined }

export type Relayed = { body: Uint8Array<ArrayBuffer>; contentType: string }

export type Forwarder = {
  /** What is ours is told too, where the configuration says so. */
  tellsAll: boolean
  /** The other system's reply, or undefined when it is down, late or answers an error. Never throws. */
  relay(delivery: RawDelivery): Promise<Relayed | undefined>
  /** The same in the background; the reply is dropped. */
  tell(delivery: RawDelivery): void
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export type ForwardSettings = { forwardUrl: string | undefined; forwardAll: boolean }

// WeChat hangs up after 5 s; half a second is left for the way back.
const TIMEOUT_MS = 4_500

// A system that is down must not fill our memory: beyond this, WeChat is answered at once.
const MOST_AT_ONCE = 1_000

// A passive reply is an XML of some hundred bytes; news with pictures have a few KiB.
const MAX_REPLY = 64 * 1024

/** Undefined when there is nobody to forward to. */
export function createForwarder(
  { forwardUrl, forwardAll }: ForwardSettings,
  { fetch, metrics, timeoutMs = TIMEOUT_MS }: { fetch: Fetch; metrics: Metrics; timeoutMs?: number },
): Forwarder | undefined {
  if (forwardUrl === undefined) return undefined
  const underway = new Set<Promise<unknown>>()

  async function send({ search, body, contentType }: RawDelivery): Promise<Relayed> {
    const response = await fetch(withSearch(forwardUrl as string, search), {
      method: 'POST',
      headers: { 'Content-Type': contentType ?? 'text/xml' },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const reply = new Uint8Array(await response.arrayBuffer())
    if (!response.ok || reply.byteLength > MAX_REPLY) throw new TypeError(`HTTP ${response.status}`)
    return { body: reply, contentType: response.headers.get('Content-Type') ?? 'text/plain; charset=utf-8' }
  }

  async function relay(delivery: RawDelivery, success: 'replied' | 'told'): Promise<Relayed | undefined> {
    if (underway.size >= MOST_AT_ONCE) {
      metrics.forwards.inc({ outcome: 'crowded' })
      return undefined
    }
    const sending = send(delivery)
    underway.add(sending)
    try {
      const relayed = await sending
      metrics.forwards.inc({ outcome: success })
      return relayed
    } catch (error) {
      metrics.forwards.inc({ outcome: (error as Error).name === 'TimeoutError' ? 'late' : 'failed' })
      return undefined
    } finally {
      underway.delete(sending)
    }
  }

  return {
    tellsAll: forwardAll,
    relay: (delivery) => relay(delivery, 'replied'),
    tell: (delivery) => void relay(delivery, 'told'),
    async idle() {
      await Promise.allSettled(underway)
    },
  }
}

/** The query as it came, behind whatever the configured URL has already. */
function withSearch(url: string, search: string): string {
  return url.includes('?') ? `${url}&${search.slice(1)}` : url + search
}
