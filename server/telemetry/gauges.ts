/** The gauges that read their value at each scrape. */
import type { QrcodePool } from '../binding/qrcode-pool.ts'
import type { Store } from '../store/store.ts'
import type { AccessTokens } from '../wechat/access-token.ts'
import type { Metrics } from './metrics.ts'

/** The gauges have no value before the first token. */
export function gaugeToken({ gauge }: Metrics, { expiresAt }: AccessTokens, fetchedAt: () => number | undefined): void {
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
  gauge('access_token_timestamp_seconds', 'When the access token in use was fetched.', () => seconds(fetchedAt()))
  gauge('access_token_expiry_timestamp_seconds', 'When the access token in use expires.', () => seconds(expiresAt()))
}

export function gaugeQrcodes({ gauge }: Metrics, { count }: QrcodePool): void {
  gauge('qrcodes_ready', 'QR codes of this instance that were made in advance and belong to no user yet.', count)
}

/**
 * The gauges read the store, so every instance reports the same values. They have no value while the store fails. `names`: the
 * receivers that are configured now. A receiver that was removed or renamed does not count, because no command can enable it.
 */
export function gaugeWebhooks({ gauge }: Metrics, { outbox }: Store, clock: () => number, names: () => string[]): void {
  gauge(
    'webhook_lag_seconds',
    'Age of the oldest change that is waiting for a receiver that is on; 0 if none is waiting.',
    async () => {
      try {
        const at = await outbox.oldestAt(names())
        return at === undefined ? 0 : (clock() - at) / 1000
      } catch {
        return undefined
      }
    },
  )
  gauge('webhook_receivers_off', 'Receivers that are switched off, after a 410 or five days of failures.', async () => {
    const states = await outbox.receivers().catch(() => undefined)
    return states?.filter(({ name, status }) => status !== 'on' && names().includes(name)).length
  })
}
