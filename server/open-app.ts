/** The app with everything it needs, from a configuration: opens the store, joins the parts, closes them in order. NODE. */
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Hono } from 'hono'
import { createApp } from './app.ts'
import { createTickets } from './binding/tickets.ts'
import { createUnionids } from './binding/unionids.ts'
import { createWaiters, type SetTimer } from './binding/waiters.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { createForwarder } from './forward.ts'
import { readKeyFile, watchKeyFile } from './key-file.ts'
import { createKeyring } from './keyring.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics.ts'
import { openStore } from './store/open-store.ts'
import type { KeyedHash } from './store/sql-changes.ts'
import type { Store } from './store/store.ts'
import { createWebhookSender } from './webhook.ts'
import { createAccessTokens } from './wechat/access-token.ts'
import { createWechatApi } from './wechat/api.ts'
import { createCrypt } from './wechat/crypt.ts'
import type { Fetch } from './wechat/http.ts'
import { readWidgetFile } from './widget-file.ts'

export type OpenApp = {
  app: Hono
  deps: Deps
  /** Ends every wait at once; new ones do not begin. */
  stopWaiting(): void
  /** After the last request: finishes what runs in the background and closes the store. */
  close(): Promise<void>
}

export type Surroundings = {
  log: Log
  clock?: () => number
  fetch?: Fetch
  setTimer?: SetTimer
  /** Stands between the app and its store: to count, to measure, to make it fail. */
  wrapStore?: ((store: Store) => Store) | undefined
  /** WeChat is the simulator, whose own users may ask. */
  allowsTestUsers?: boolean
}

const SWEEP_EVERY_MS = 60_000

const nodeTimer: SetTimer = (end, ms) => {
  const timer = setTimeout(end, ms)
  return () => clearTimeout(timer)
}

export async function openApp(config: Config, surroundings: Surroundings): Promise<OpenApp> {
  const { log, clock = Date.now, fetch = globalThis.fetch, setTimer = nodeTimer } = surroundings
  const { appId } = config.wechat
  const hashOf = createKeyedHash(config.wechat.appSecret)
  const opened = await openStore(config.databaseUrl, {
    hashOf,
    hasWebhook: (tenant) => config.webhooks.find(tenant) !== undefined,
  })
  const store = surroundings.wrapStore?.(opened) ?? opened
  const waiters = createWaiters(setTimer)
  store.onCommit(waiters.wake)
  const accessTokens = createAccessTokens(config.wechat, { fetch, clock })
  const wechat = createWechatApi({
    apiBase: config.wechat.apiBase,
    accessTokens,
    fetch,
    delay: (ms, signal) => delay(ms, undefined, { signal }),
  })
  const metrics = createMetrics(waiters.count)
  const forwarder = createForwarder(config, { fetch, metrics })
  const unionids = createUnionids({ store, wechat, log })
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
  if (webhookSender) store.onCommit(webhookSender.nudge)
  const deps: Deps = {
    callback: toCallbackSettings(config),
    events: { appId, rules: config.rules, ...config.replies },
    forwarder,
    metrics,
    keyring,
    store,
    tickets: createTickets({ ...config, store, wechat, clock, appId }),
    unionids,
    afterCommit(changes) {
      unionids.follow(changes)
      metrics.countChanges(changes)
    },
    waiters,
    wechat,
    qrImageUrl: toQrImageUrl(config.wechat.apiBase),
    allowedOrigins: config.allowedOrigins,
    allowsTestUsers: surroundings.allowsTestUsers ?? false,
    widgetFile: readWidgetFile(),
    log,
    clock,
  }
  const sweeping = setInterval(() => sweep(deps), SWEEP_EVERY_MS).unref()

  return {
    app: createApp(deps),
    deps,
    stopWaiting: waiters.close,
    async close() {
      clearInterval(sweeping)
      keyFile?.stop()
      waiters.close()
      await Promise.all([unionids.idle(), forwarder?.idle(), webhookSender?.close()])
      await store.close()
    },
  }
}

async function sweep({ store, clock, log }: Deps): Promise<void> {
  await store
    .sweep(clock())
    .catch((error) => log.warn({ code: error.code }, 'the sweep failed; the next one tries again'))
}

/** The same on every instance and after a restart, and worthless without the AppSecret. */
function createKeyedHash(appSecret: string): KeyedHash {
  const key = createHmac('sha256', appSecret).update('wechat-bind keyed hash').digest()
  return (...parts) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
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
