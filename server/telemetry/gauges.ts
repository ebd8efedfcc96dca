/** Gauges that read their value at each scrape. */
import type { Store } from '../store/store.ts'
import type { AccessTokens } from '../wechat/access-token.ts'
import type { Metrics } from './metrics.ts'

/** The gauges have no value before the first token. */
export function gaugeToken({ gauge }: Metrics, { expiresAt }: AccessTokens, fetchedAt: () => number | undefined): void {
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
  gauge('access_token_timestamp_seconds', 'When the access token in use was fetched.', () => seconds(fetchedAt()))
  gauge('access_token_expiry_timestamp_seconds', 'When the access token in use expires.', () => seconds(expiresAt()))
}

/** The gauge reads the store, so every instance reports the same value. It has no value while the store fails. */
export function gaugeWebhookLag({ gauge }: Metrics, { outbox }: Store, clock: () => number): void {
  gauge(
    'webhook_lag_seconds',
    'Age of the oldest change that is waiting for its webhook; 0 if none is waiting.',
    async () => {
      const oldest = await outbox.list('waiting', 1).catch(() => undefined)
      return oldest && (oldest[0] ? (clock() - oldest[0].at) / 1000 : 0)
    },
  )
}
