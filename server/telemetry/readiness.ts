/**
 * Whether this instance can serve: the store answers, and an access token is available.
 *
 * A result is reused for a second, and simultaneous probes share one check. Without a valid token a check is a call to WeChat,
 * whose number per day is limited, and anyone who reaches the probe could use it up.
 */
import type { Store } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'

/** `ok`, or the code of the error. */
export type Checks = { store: string; wechat: string }

type ReadinessDeps = {
  store: Pick<Store, 'ping'>
  wechat: Pick<WechatApi, 'checkAccess'>
  /** Epoch ms. */
  clock: () => number
}

// Shorter than any interval of a probe: kubelet and load balancers probe every 5 to 10 s.
const FRESH_MS = 1_000

export function createReadiness({ store, wechat, clock }: ReadinessDeps): () => Promise<Checks> {
  let latest: { checks: Promise<Checks>; endedAt: number | undefined } | undefined

  async function check(): Promise<Checks> {
    const [storeState, wechatState] = await Promise.all([stateOf(store.ping()), stateOf(wechat.checkAccess())])
    return { store: storeState, wechat: wechatState }
  }

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

/** A correction of the system clock in either direction ends the freshness. */
const isFresh = (endedAt: number, now: number) => Math.abs(now - endedAt) < FRESH_MS

const stateOf = (check: Promise<void>) =>
  check.then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? 'failed',
  )
