/** Opens the store, makes the app and all its parts from a configuration, and closes them in order. Node only. */
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as systemDelay } from 'node:timers/promises'
import type { Hono } from 'hono'
import { createApp, createEndpoints, createOpsApp } from './app.ts'
import { createFollowQr } from './binding/follow-qr.ts'
import { createQrcodePool } from './binding/qrcode-pool.ts'
import { startJobs } from './binding/regular-jobs.ts'
import { SCAN_LINE, toScanFields } from './binding/scan-outcome.ts'
import { createTickets } from './binding/tickets.ts'
import { createWaiters } from './binding/waiters.ts'
import type { Config } from './config/config.ts'
import { openReceivers } from './config/present-receivers.ts'
import { warnAtStart } from './config/start-warnings.ts'
import { cannotOpen } from './config/store-fault.ts'
import { USER_AGENT } from './config/version.ts'
import { openConsoleParts } from './console/console-parts.ts'
import type { Deps } from './deps.ts'
import { createAddresses } from './http/base-url.ts'
import { type Intercept, interceptEndpoints } from './http/node-listener.ts'
import { createOutgoingFetch, withUserAgent } from './http/outgoing-fetch.ts'
import { readWidgetFile } from './http/static-file.ts'
import { createCursors } from './keys/cursor.ts'
import { createKeyedHash } from './keys/keyed-hash.ts'
import { createOauthStates } from './keys/oauth-state.ts'
import { openKeyring } from './keys/open-keyring.ts'
import { createTokenCache } from './keys/token-cache.ts'
import { createForwarder } from './outbound/forwarder.ts'
import { openWebhookSender } from './outbound/open-webhook-sender.ts'
import { createUnionidFetcher } from './outbound/unionid-fetcher.ts'
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
import { gaugeQrcodes, gaugeToken } from './telemetry/gauges.ts'
import { instrumentFetch, instrumentStore } from './telemetry/instrument.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createWarnings } from './telemetry/warnings.ts'
import { createAccessTokens } from './wechat/access-token.ts'
import { createWechatApi } from './wechat/api.ts'
import { toCallbackSettings } from './wechat/callback-settings.ts'
import { toQrImageUrl } from './wechat/qr-image.ts'

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
  /** Limits the time of calls to WeChat and to the system at `FORWARD_URL`, and pauses between their tries. */
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

// A store that does not answer must not delay the end of the process.
const SAVE_WITHIN_MS = 500

export async function openApp(config: Config, overrides: Overrides): Promise<OpenApp> {
  const { log, clock = Date.now, setTimer = systemTimer, setRepeatingTimer = systemInterval } = overrides
  const { timeLimit = systemTimeLimit, delay = systemDelayUntil } = overrides
  const fetch = withUserAgent(overrides.fetch ?? createOutgoingFetch(), USER_AGENT)
  const { appId } = config.wechat
  const hashOf = createKeyedHash(config.wechat.appSecret)
  /** Returns the value of the header `Bind-User`. */
  const nameOf = ({ tenant, account, userId }: Identity) => hashOf('user', tenant, account, userId)
  const receivers = openReceivers(config, log)
  const opened = await (overrides.openStore ?? openStore)(config.databaseUrl, {
    hashOf,
    hasWebhook: (tenant) => receivers.now().of(tenant).length > 0,
    setTimer: overrides.setTimer,
  }).catch((cause) => {
    receivers.stop()
    throw cannotOpen(cause)
  })
  // This clock is monotonic, because a correction of the system clock must not lengthen a wait.
  const monotonic = overrides.clock ?? (() => performance.now())
  const warn = createWarnings(log, monotonic)
  // The server starts even if the count fails. The doctor counts again.
  const otherBindings = await opened.countOtherBindings(appId).catch(() => 0)
  warnAtStart(config, otherBindings, log)
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
  const wechat = createWechatApi({ ...config.wechat, accessTokens, fetch: wechatFetch, delay, timeLimit })
  const qrcodes = createQrcodePool({
    ...config,
    wechat,
    clock: monotonic,
    setTimer,
    onTake: metrics.countQrcode,
    onUnused: metrics.countUnusedQrcodes,
  })
  const forwarder = createForwarder(config, { fetch, metrics, warn, timeLimit })
  const unionids = createUnionidFetcher({ store, wechat, clock, setTimer, log })
  const { keyring, stop: stopWatchingKeys } = openKeyring(config, log)
  const random = overrides.random ?? Math.random
  const webhookSender = openWebhookSender({ store, receivers, fetch, clock, random, setTimer, metrics, log })
  gaugeToken(metrics, accessTokens, () => tokenAt)
  gaugeQrcodes(metrics, qrcodes)
  const { console, stop: stopWatchingTokens } = openConsoleParts(config, {
    hashOf,
    nameOf,
    tenants: keyring.tenants,
    receivers: () => receivers.now().all,
    closing: closing.signal,
    fetch,
    clock,
    setTimer,
    log,
  })
  const deps: Deps = {
    accountName: config.accountName,
    callback: toCallbackSettings(config.wechat),
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
      if (scan) log.info(toScanFields(scan, nameOf), SCAN_LINE)
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
  const jobs = startJobs(deps, setRepeatingTimer)
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
      jobs.stop()
      stopWatchingKeys()
      receivers.stop()
      stopWatchingTokens()
      qrcodes.close()
      stopWaiting()
      const timer = new AbortController()
      const timeout = systemDelayUntil(Math.max(0, withinMs), timer.signal).catch(() => {})
      await Promise.race([Promise.all([unionids.close(), forwarder?.idle(), webhookSender?.close()]), timeout])
      timer.abort()
      await Promise.race([jobs.saveFigures(), systemDelay(SAVE_WITHIN_MS, undefined, { ref: false })])
      await store.close()
    },
  }
}

const systemDelayUntil: Delay = (ms, signal) => systemDelay(ms, undefined, { signal })
