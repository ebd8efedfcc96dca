/**
 * Checks whether this instance can serve requests: the store must accept a write, and an access token must be available. With a
 * full disk the store answers reads, but no scan can bind.
 *
 * A result is reused for a second, and simultaneous probes share one check. The reason is that each check calls WeChat while there
 * is no valid token, and WeChat limits the calls per day: frequent probes could use up this quota.
 */
import { takeRandom } from '../crypto.ts'
import type { Store } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'
import { toCause } from './cause.ts'
import type { Warn, WarningKind } from './warnings.ts'

/** `ok`, or the code of the error. */
export type Checks = { store: string; wechat: string }

type ReadinessDeps = {
  store: Pick<Store, 'ping' | 'write'>
  wechat: Pick<WechatApi, 'checkAccess'>
  /** Epoch ms. */
  clock: () => number
  warn: Warn
}

// This is shorter than the interval of common probes: kubelet and load balancers probe every 5 to 10 s.
const FRESH_MS = 1_000

export function createReadiness({ store, wechat, clock, warn }: ReadinessDeps): () => Promise<Checks> {
  let latest: { checks: Promise<Checks>; endedAt: number | undefined } | undefined

  /** Inserts a row with a random key, which is different at each instance. The sweep deletes the row later. */
  async function checkStore(): Promise<void> {
    await store.ping()
    const now = clock()
    const key = `${Math.floor(now / 1000)}|readyz|${takeRandom(16).toString('base64url')}`
    await store.write((tx) => tx.recordDelivery(tx.fingerprint(key), null, now))
  }

  async function check(): Promise<Checks> {
    const [storeState, wechatState] = await Promise.all([
      stateOf('store', checkStore()),
      stateOf('accessToken', wechat.checkAccess()),
    ])
    return { store: storeState, wechat: wechatState }
  }

  const stateOf = (kind: WarningKind, checking: Promise<void>) =>
    checking.then(
      () => 'ok',
      (error: { code?: string; cause?: unknown }) => {
        const { code = 'failed' } = error
        warn(kind, { code, cause: toCause(error.cause ?? error) })
        return code
      },
    )

  return () => {
    if (latest && (latest.endedAt === undefined || isFresh(latest.endedAt, clock()))) return latest.checks
    const started = { checks: check(), endedAt: undefined as number | undefined }
    void started.checks.then(() => {
      started.endedAt = clock()
    })
    latest = started
    return started.checks
  }
}

/** A result is not reused if the system clock was corrected by more than a second in the meantime. */
const isFresh = (endedAt: number, now: number) => Math.abs(now - endedAt) < FRESH_MS
