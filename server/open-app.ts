/** The app with everything it needs, from a configuration: opens the store, joins the parts, closes them in order. NODE. */
import { createHmac, hash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hono } from 'hono'
import { createApp } from './app.ts'
import { createTickets } from './binding/tickets.ts'
import { createWaiters } from './binding/waiters.ts'
import type { Config } from './config/config.ts'
import type { Deps } from './deps.ts'
import { BindError } from './errors.ts'
import { readWidgetFile } from './http/static-file.ts'
import { readKeyFile, watchKeyFile } from './keys/key-file.ts'
import { createKeyring } from './keys/keyring.ts'
import { createTokenCache } from './keys/token-cache.ts'
import { createForwarder } from './outbound/forwarder.ts'
import { createUnionidFetcher } from './outbound/unionid-fetcher.ts'
import { createWebhookSender } from './outbound/webhook-sender.ts'
import type { Fetch, Log, SetTimer } from './platform.ts'
import { openStore } from './store/open-store.ts'
import type { KeyedHash } from './store/sql/changes.ts'
import type { Store } from './store/store.ts'
import { instrumentFetch, instrumentStore } from './telemetry/instrument.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { type AccessTokens, createAccessTokens } from './wechat/access-token.ts'
import { createWechatApi, type WechatApi } from './wechat/api.ts'
import { createCrypt } from './wechat/crypt.ts'

export type OpenApp = {
  app: Hono
  deps: Deps
  /** Ends every wait at once; new ones do not begin. */
  stopWaiting(): void
  /** After the last request: finishes what runs in the background, for so long at most, and closes the store. */
  close(withinMs?: number): Promise<void>
}

export type Overrides = {
  log: Log
  clock?: () => number
  fetch?: Fetch
  setTimer?: SetTimer
  /** Stands between the app and its store: to count, to measure, to make it fail. */
  wrapStore?: ((store: Store) => Store) | undefined
  /** WeChat is the simulator, whose own users may ask. */
  allowsTestUsers?: boolean
}

const MINUTE_MS = 60_000

const nodeTimer: SetTimer = (end, ms) => {
  const timer = setTimeout(end, ms)
  return () => clearTimeout(timer)
}

export async function openApp(config: Config, overrides: Overrides): Promise<OpenApp> {
  const { log, clock = Date.now, fetch = globalThis.fetch, setTimer = nodeTimer } = overrides
  const { appId } = config.wechat
  const hashOf = createKeyedHash(config.wechat.appSecret)
  const opened = await openStore(config.databaseUrl, {
    hashOf,
    hasWebhook: (tenant) => config.webhooks.find(tenant) !== undefined,
  }).catch((cause) => {
    throw cannotOpen(cause)
  })
  const waiters = createWaiters({
    limits: config.waiters,
    setTimer,
    // A clock that is set right must not make anybody wait longer.
    clock: overrides.clock ?? (() => performance.now()),
  })
  const metrics = createMetrics(waiters.count)
  const store = instrumentStore(overrides.wrapStore?.(opened) ?? opened, metrics)
  store.onCommit(waiters.wake)
  let tokenAt: number | undefined
  const wechatFetch = instrumentFetch(fetch, metrics, () => {
    tokenAt = clock()
  })
  const accessTokens = createAccessTokens(config.wechat, { fetch: wechatFetch, clock })
  const wechat = createWechatApi({
    apiBase: config.wechat.apiBase,
    accessTokens,
    fetch: wechatFetch,
    delay: (ms, signal) => delay(ms, undefined, { signal }),
  })
  const forwarder = createForwarder(config, { fetch, metrics })
  const unionids = createUnionidFetcher({ store, wechat, clock, setTimer, log })
  const { keysFile } = config
  const keyring = createKeyring(keysFile === undefined ? config.keys : readKeyFile(keysFile))
  const keyFile = keysFile === undefined ? undefined : watchKeyFile(keysFile, keyring.replace, log)
  const webhookSender = config.webhooks.isAny
    ? createWebhookSender({
        outbox: store.outbox,
        webhooks: config.webhooks,
        tenants: keyring.tenants,
        fetch,
        clock,
        random: Math.random,
        setTimer,
        metrics,
        log,
        holder: randomUUID(),
      })
    : undefined
  if (webhookSender) store.onCommit(webhookSender.wake)
  watchToken(metrics, accessTokens, () => tokenAt)
  if (webhookSender) watchLag(metrics, store, clock)
  const deps: Deps = {
    callback: toCallbackSettings(config),
    events: { appId, rules: config.rules, ...config.replies },
    forwarder,
    metrics,
    keyring,
    store,
    tickets: createTickets({ ...config, store, wechat: countShown(wechat, metrics), clock, appId }),
    unionids,
    principalOf: createTokenCache({
      keyring,
      nameOf: ({ tenant, account, userId }) => hashOf('user', tenant, account, userId),
      clock,
      // Each page that waits has one: more would be remembered for pages that cannot be held.
      maxTokens: config.waiters.inAll,
    }),
    afterCommit(changes, said) {
      unionids.follow(changes)
      metrics.countChanges(changes, config.rules.confirm !== 'off')
      if (said === 'expired' || said === 'conflict') metrics.count(said)
    },
    trustProxy: config.trustProxy,
    waiters,
    wechat,
    qrImageUrl: toQrImageUrl(config.wechat.apiBase),
    allowedOrigins: config.allowedOrigins,
    allowsTestUsers: overrides.allowsTestUsers ?? false,
    widgetFile: readWidgetFile(),
    log,
    clock,
  }
  unionids.fetchDue()
  const minutely = setInterval(() => {
    unionids.fetchDue()
    void sweep(deps)
  }, MINUTE_MS).unref()

  return {
    app: createApp(deps),
    deps,
    stopWaiting: waiters.close,
    async close(withinMs = 5_000) {
      clearInterval(minutely)
      keyFile?.stop()
      waiters.close()
      const late = new AbortController()
      const background = Promise.all([unionids.close(), forwarder?.idle(), webhookSender?.close()])
      await Promise.race([background, delay(Math.max(0, withinMs), undefined, { signal: late.signal }).catch(() => {})])
      late.abort()
      await store.close()
    },
  }
}

function watchToken({ gauge }: Metrics, { expiresAt }: AccessTokens, fetchedAt: () => number | undefined): void {
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
  gauge('access_token_timestamp_seconds', 'When the access token in use was fetched.', () => seconds(fetchedAt()))
  gauge('access_token_expiry_timestamp_seconds', 'When the access token in use ends.', () => seconds(expiresAt()))
}

/** The same on every instance: it is the store's. */
function watchLag({ gauge }: Metrics, { outbox }: Store, clock: () => number): void {
  gauge(
    'webhook_lag_seconds',
    'Age of the oldest change that its webhook has not taken; 0 when none waits.',
    async () => {
      const oldest = await outbox.list('waiting', 1).catch(() => undefined)
      return oldest && (oldest[0] ? (clock() - oldest[0].at) / 1000 : 0)
    },
  )
}

const countShown = (wechat: WechatApi, metrics: Metrics): WechatApi => ({
  ...wechat,
  async createQrcode(scene, expireSeconds) {
    const qrcode = await wechat.createQrcode(scene, expireSeconds)
    metrics.count('shown')
    return qrcode
  },
})

/** What the drivers say (`attempt to write a readonly database`) names neither the setting nor a way out. */
function cannotOpen(cause: Error & { code?: string }): BindError {
  // A connection that is refused on several addresses has a code and no message.
  const why = cause.message || cause.code
  const message = [
    `DATABASE_URL: the store cannot be opened (${why}): check that the database runs, that the disk has room and that this server's user may write to it.`,
    `    存储无法打开（${why}）：请确认数据库在运行、磁盘有剩余空间，且运行服务的用户有写权限。`,
  ]
  return new BindError('BAD_CONFIG', message.join('\n'), { cause })
}

async function sweep({ store, clock, log }: Deps): Promise<void> {
  await store
    .sweep(clock())
    .catch((error) => log.warn({ code: error.code }, 'the sweep failed; the next one tries again'))
}

/** The same on every instance and after a restart, and worthless without the AppSecret. */
function createKeyedHash(appSecret: string): KeyedHash {
  // SHA-3 may be keyed by a prefix, which SHA-2 may not (FIPS 202, A.2): one call of 1 us, where an HMAC takes 3.
  const key = createHmac('sha256', appSecret).update('wechat-bind keyed hash').digest('base64url')
  return (...parts) => hash('sha3-256', key + JSON.stringify(parts), 'base64url')
}

const toCallbackSettings = ({ wechat: { mode, token, originalId, encodingAesKeys, appId } }: Config) => ({
  mode,
  token,
  originalId,
  crypts: encodingAesKeys.map((key) => createCrypt(key, appId)),
})

/** WeChat serves the pictures from another host than its API; a stand-in for WeChat serves both. */
function toQrImageUrl(apiBase: string): string {
  const base = new URL(apiBase).hostname.endsWith('.weixin.qq.com') ? 'https://mp.weixin.qq.com' : apiBase
  return `${base}/cgi-bin/showqrcode?ticket=`
}
