/** Opens the store, makes the app and all its parts from a configuration, and closes them in order. Node only. */
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as systemDelay } from 'node:timers/promises'
import type { Hono } from 'hono'
import { createApp, createEndpoints, createOpsApp } from './app.ts'
import { expireScans } from './binding/expire-scans.ts'
import { createFollowQr } from './binding/follow-qr.ts'
import { createQrcodePool } from './binding/qrcode-pool.ts'
import { SCAN_LINE, type ScanOutcome } from './binding/scan-outcome.ts'
import { createTickets } from './binding/tickets.ts'
import { createWaiters } from './binding/waiters.ts'
import type { Config } from './config/config.ts'
import { findModuleFault, USER_AGENT } from './config/version.ts'
import type { WebhookReceiver } from './config/webhook-receivers.ts'
import { watchWebhooksFile } from './config/webhooks-file.ts'
import { openConsoleParts } from './console/console-parts.ts'
import type { Deps } from './deps.ts'
import { BindError } from './errors.ts'
import { createAddresses } from './http/base-url.ts'
import { type Intercept, interceptEndpoints } from './http/node-listener.ts'
import { createOutgoingFetch, withUserAgent } from './http/outgoing-fetch.ts'
import { readWidgetFile } from './http/static-file.ts'
import { createCursors } from './keys/cursor.ts'
import { readKeyFile, watchKeyFile } from './keys/key-file.ts'
import { createKeyedHash } from './keys/keyed-hash.ts'
import { createKeyring } from './keys/keyring.ts'
import { createOauthStates } from './keys/oauth-state.ts'
import { createTokenCache } from './keys/token-cache.ts'
import { createForwarder } from './outbound/forwarder.ts'
import { createUnionidFetcher } from './outbound/unionid-fetcher.ts'
import { createWebhookSender } from './outbound/webhook-sender.ts'
import {
  type Delay,
  type Fetch,
  type Log,
  type SetTimer,
  systemInterval,
  systemTimeLimit,
  systemTimer,
  type TimeLimit,
} from './platform.ts'
import { openStore } from './store/open-store.ts'
import type { Identity, Store } from './store/store.ts'
import { createFigures } from './telemetry/figures.ts'
import { gaugeQrcodes, gaugeToken, gaugeWebhooks } from './telemetry/gauges.ts'
import { instrumentFetch, instrumentStore } from './telemetry/instrument.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createWarnings } from './telemetry/warnings.ts'
import { createAccessTokens } from './wechat/access-token.ts'
import { createWechatApi } from './wechat/api.ts'
import { createCrypt } from './wechat/crypt.ts'

export type OpenApp = {
  /** The app. It has no metrics and no probes if `OPS_PORT` is set. */
  app: Hono
  /** An app with only metrics and probes. `serve` runs it on `OPS_PORT`. */
  ops: Hono
  /**
   * Answers the callback, the encrypted API and the browser API without Hono. This takes less CPU, and half of the memory for
   * each waiting page. Also refuses unusual request targets. A Node server that runs only this app offers every request to
   * `intercept` first, and to `app` if `intercept` returns false.
   */
  intercept: Intercept
  deps: Deps
  /** Answers every waiting page. Later polls are answered without a wait. */
  stopWaiting(): void
  /** Waits for background work, at most `withinMs`, and closes the store. Call it after the last request. */
  close(withinMs?: number): Promise<void>
}

export type Overrides = {
  log: Log
  clock?: () => number
  fetch?: Fetch
  setTimer?: SetTimer
  /** Repeats the regular jobs. */
  setRepeatingTimer?: SetTimer
  /** Limits the time of calls to WeChat, and pauses between their tries. */
  timeLimit?: TimeLimit
  delay?: Delay
  /** 0 to 1. Spreads the retries of webhooks. */
  random?: () => number
  /** Opens the store that `DATABASE_URL` names. */
  openStore?: typeof openStore
  /** Wraps the store, for example to count calls or to simulate failures. */
  wrapStore?: ((store: Store) => Store) | undefined
  /** Accepts the simulator's test users. */
  allowsTestUsers?: boolean
}

const MINUTE_MS = 60_000

// An erasure is complete after two intervals. SQLite's log still contains the erased data for up to 30 s.
const PURGE_INTERVAL_MS = 10_000

// The counts of this time are lost when the server is killed. A shorter time would make a quiet server write for almost every callback.
const FIGURES_INTERVAL_MS = 5_000

// A store that does not answer must not delay the end of the process.
const SAVE_WITHIN_MS = 500

export async function openApp(config: Config, overrides: Overrides): Promise<OpenApp> {
  const { log, clock = Date.now, setTimer = systemTimer, setRepeatingTimer = systemInterval } = overrides
  const { timeLimit = systemTimeLimit, delay = systemDelayUntil } = overrides
  const fetch = withUserAgent(overrides.fetch ?? createOutgoingFetch(), USER_AGENT)
  const { appId } = config.wechat
  const hashOf = createKeyedHash(config.wechat.appSecret)
  /** The page's `Bind-User`. */
  const nameOf = ({ tenant, account, userId }: Identity) => hashOf('user', tenant, account, userId)
  let { webhooks } = config
  const opened = await (overrides.openStore ?? openStore)(config.databaseUrl, {
    hashOf,
    hasWebhook: (tenant) => webhooks.of(tenant).length > 0,
    setTimer: overrides.setTimer,
  }).catch((cause) => {
    throw cannotOpen(cause)
  })
  // This clock is monotonic, because a correction of the system clock must not lengthen a wait.
  const monotonic = overrides.clock ?? (() => performance.now())
  const warn = createWarnings(log, monotonic)
  // The server starts even if the count fails. The doctor counts again.
  const otherBindings = await opened.countOtherBindings(appId).catch(() => 0)
  if (otherBindings > 0) {
    log.warn(
      { bindings: otherBindings },
      'bindings belong to another account than WECHAT_APP_ID, and this account cannot send messages to their users: run "wechat-bind doctor"',
    )
  }
  const closing = new AbortController()
  // Each long poll of the console adds one listener.
  setMaxListeners(0, closing.signal)
  const waiters = createWaiters({ limits: config.waiters, setTimer, clock: monotonic })
  const metrics = createMetrics(waiters.count)
  const store = instrumentStore(overrides.wrapStore?.(opened) ?? opened, metrics)
  store.onCommit(waiters.wake)
  let tokenAt: number | undefined
  const figures = createFigures({
    store,
    clock,
    instance: randomUUID(),
    isConfirmed: config.rules.confirm !== 'off',
    waiting: waiters.count,
    waitingLimit: config.waiters.inAll,
    token: () => ({ at: tokenAt, until: accessTokens.expiresAt() }),
  })
  store.onCommit(figures.committed)
  const wechatFetch = instrumentFetch(fetch, metrics, {
    onToken() {
      tokenAt = clock()
    },
    onRefusal: figures.refused,
  })
  const accessTokens = createAccessTokens(config.wechat, { fetch: wechatFetch, clock, timeLimit })
  const wechat = createWechatApi({
    ...config.wechat,
    accessTokens,
    fetch: wechatFetch,
    delay,
    timeLimit,
  })
  const qrcodes = createQrcodePool({
    ...config,
    wechat,
    clock: monotonic,
    setTimer,
    onTake: metrics.countQrcode,
    onUnused: metrics.countUnusedQrcodes,
  })
  const forwarder = createForwarder(config, { fetch, metrics, warn })
  const unionids = createUnionidFetcher({ store, wechat, clock, setTimer, log })
  const { keysFile, webhooksFile } = config
  const keyring = createKeyring(keysFile === undefined ? config.keys : readKeyFile(keysFile))
  const keyFile = keysFile === undefined ? undefined : watchKeyFile(keysFile, keyring.replace, log)
  const onReceivers = (receivers: WebhookReceiver[]) => {
    webhooks = config.webhooks.withFile(receivers)
  }
  const webhooksWatch = webhooksFile === undefined ? undefined : watchWebhooksFile(webhooksFile, onReceivers, log)
  const hasWebhooks = webhooksFile !== undefined || webhooks.all.length > 0
  const webhookSender = hasWebhooks
    ? createWebhookSender({
        outbox: store.outbox,
        webhooks: () => webhooks,
        fetch,
        clock,
        random: overrides.random ?? Math.random,
        setTimer,
        metrics,
        log,
        holder: randomUUID(),
      })
    : undefined
  if (webhookSender) store.onCommit(webhookSender.wake)
  gaugeToken(metrics, accessTokens, () => tokenAt)
  gaugeQrcodes(metrics, qrcodes)
  if (webhookSender) gaugeWebhooks(metrics, store, clock, () => webhooks.all.map(({ name }) => name))
  const { console, stop: stopWatchingTokens } = openConsoleParts(config, {
    hashOf,
    nameOf,
    tenants: keyring.tenants,
    receivers: () => webhooks.all,
    closing: closing.signal,
    fetch,
    clock,
    setTimer,
    log,
  })
  const deps: Deps = {
    accountName: config.accountName,
    callback: toCallbackSettings(config),
    events: { appId, rules: config.rules, ...config.replies },
    oauth: config.oauth.isOn
      ? {
          states: createOauthStates(hashOf),
          addressesFor: createAddresses({ ...config, openBase: config.oauth.openBase }),
          limits: config,
          followQr: createFollowQr({ wechat, accountName: config.accountName, clock }),
        }
      : undefined,
    verifyFiles: config.oauth.verifyFiles,
    forwarder,
    metrics,
    keyring,
    cursors: createCursors(hashOf),
    store,
    tickets: createTickets({ ...config, store, qrcodes, clock, appId, onShown: figures.shown }),
    unionids,
    principalOf: createTokenCache({
      keyring,
      nameOf,
      clock,
      // Each page that may wait has one token.
      maxTokens: config.waiters.inAll,
    }),
    afterCommit(changes, said, scan) {
      unionids.follow(changes)
      metrics.countChanges(changes, config.rules.confirm !== 'off')
      if (said === 'expired' || said === 'conflict') metrics.count(said)
      if (scan) log.info(toFields(scan, nameOf), SCAN_LINE)
    },
    trustProxy: config.trustProxy,
    waiters,
    wechat,
    qrImageUrl: toQrImageUrl(config.wechat.apiBase),
    allowedOrigins: config.allowedOrigins,
    allowsTestUsers: overrides.allowsTestUsers ?? false,
    widgetFile: readWidgetFile(),
    log,
    warn,
    figures,
    console,
    clock,
  }
  if (config.oauth.isOn && config.publicUrl === undefined) {
    log.warn(
      {},
      'WECHAT_OAUTH=on without PUBLIC_URL: WeChat returns browsers to the address to which each page sends its requests. Set PUBLIC_URL to the address of this server, whose domain is the 网页授权域名 of the account',
    )
  }
  for (const name of config.unknownNames ?? []) {
    log.warn(
      { name },
      'an environment variable is not a setting and has no effect: correct its name if it is meant for this server',
    )
  }
  unionids.fetchDue()
  const stopSweeping = setRepeatingTimer(() => {
    unionids.fetchDue()
    void sweep(deps)
  }, MINUTE_MS)

  const stopPurging = setRepeatingTimer(() => {
    void store.purgeErased(clock() - PURGE_INTERVAL_MS).catch((error: BindError) => {
      log.warn({ code: error.code }, 'erasures could not be completed; the server tries again in 10 s')
    })
  }, PURGE_INTERVAL_MS)

  const saveFigures = () =>
    figures.save().catch((error: BindError) => {
      log.debug({ code: error.code }, 'the figures of the console were not saved; the server tries again in 5 s')
    })
  const stopSaving = setRepeatingTimer(() => void saveFigures(), FIGURES_INTERVAL_MS)

  const stopWaiting = () => {
    waiters.close()
    closing.abort()
  }
  const endpoints = createEndpoints(deps)
  return {
    app: createApp(deps, { endpoints, hasOps: config.ops === undefined }),
    ops: createOpsApp(deps),
    intercept: interceptEndpoints(endpoints, deps),
    deps,
    stopWaiting,
    async close(withinMs = 5_000) {
      stopSweeping()
      stopPurging()
      keyFile?.stop()
      webhooksWatch?.stop()
      stopWatchingTokens()
      stopSaving()
      qrcodes.close()
      stopWaiting()
      const timer = new AbortController()
      const timeout = systemDelayUntil(Math.max(0, withinMs), timer.signal).catch(() => {})
      await Promise.race([Promise.all([unionids.close(), forwarder?.idle(), webhookSender?.close()]), timeout])
      timer.abort()
      await Promise.race([saveFigures(), systemDelay(SAVE_WITHIN_MS, undefined, { ref: false })])
      await store.close()
    },
  }
}

const systemDelayUntil: Delay = (ms, signal) => systemDelay(ms, undefined, { signal })

/** Adds the setting and a fix to the driver's message, which is for example `attempt to write a readonly database`. */
function cannotOpen(cause: Error & { code?: string }): BindError {
  const moduleFault = findModuleFault(cause)
  if (moduleFault !== undefined) return new BindError('BAD_CONFIG', moduleFault, { cause })
  // The error for a connection that several addresses refused has a code, but an empty message.
  const why = cause.message || cause.code
  const message = [
    `DATABASE_URL: the store cannot be opened (${why}): check that the database is running, that the disk has free space, and that this server's user may write to it.`,
    `    存储无法打开（${why}）：请确认数据库正在运行、磁盘有剩余空间，并且运行本服务的用户有写权限。`,
  ]
  return new BindError('BAD_CONFIG', message.join('\n'), { cause })
}

async function sweep(deps: Deps): Promise<void> {
  const warn = (error: BindError) => deps.log.warn({ code: error.code }, 'the sweep failed; it runs again in a minute')
  await expireScans(deps).catch(warn)
  await deps.store.sweep(deps.clock()).catch(warn)
}

const toFields = ({ outcome, reason, identity }: ScanOutcome, nameOf: (identity: Identity) => string) => ({
  outcome,
  reason,
  user: identity && nameOf(identity),
})

const toCallbackSettings = ({ wechat: { mode, token, originalId, encodingAesKeys, appId } }: Config) => ({
  mode,
  token,
  originalId,
  crypts: encodingAesKeys.map((key) => createCrypt(key, appId)),
})

/** WeChat serves QR pictures and its API from different hosts. The simulator serves both from one host. */
function toQrImageUrl(apiBase: string): string {
  const base = new URL(apiBase).hostname.endsWith('.weixin.qq.com') ? 'https://mp.weixin.qq.com' : apiBase
  return `${base}/cgi-bin/showqrcode?ticket=`
}
