/** The environment of a story: the servers and their store, WeChat, a webhook receiver, waiting pages, and the clock. */
import { createHmac } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scheduler } from 'fast-check'
import type { MessageFields } from '../../../demo/simulator/message.ts'
import { type Config, parseConfig } from '../../../server/config/config.ts'
import type { Answer } from '../../../server/http/answer.ts'
import { sealEnvelope } from '../../../server/keys/envelope.ts'
import { sealToken } from '../../../server/keys/seal-token.ts'
import type { Fetch, Log } from '../../../server/platform.ts'
import type { Message } from '../model/chat.ts'
import { QR_LIMITS } from '../model/limits.ts'
import { type Settings, tenantOf, type UserKey } from '../model/state.ts'
import type { Exchange } from '../steps/exchange.ts'
import { EVENTS_KEPT, type Feed, type WaitingReader } from '../steps/feed.ts'
import type { Walk } from '../steps/readers.ts'
import { type Instance, openInstance } from './instance.ts'
import { createOldSystem, FORWARD_URL } from './old-system.ts'
import { createReceiver, WEBHOOK_SECRET, WEBHOOK_URL } from './receiver.ts'
import { type Database, hashOf } from './store.ts'
import { createTime } from './time.ts'
import { account, createWechat, replyTexts } from './wechat.ts'

export type WorldSettings = Settings & {
  instances: number
  hasWebhook: boolean
  hasUnionid: boolean
}

export const userKeys: UserKey[] = ['default/acme/u1', 'default/acme/u2', 'default/acme/u3', 'other/acme/u1']

const secretOf = (kid: string) => createHmac('sha256', 'keys of the simulation').update(kid).digest()
const kidOf = (tenant: string) => (tenant === 'default' ? 'k1' : 'k2')
const secrets = { k1: secretOf('k1'), k2: secretOf('k2') } as Record<string, Buffer>

export const identityOf = (key: UserKey) => {
  const [tenant = '', userAccount = '', userId = ''] = key.split('/')
  return { tenant, account: userAccount, userId }
}

/** A message of a WeChat user. WeChat may deliver it once, several times, late or never. */
export type Sent = { fields: MessageFields; message: Message }

/** A page that waits for a greater version than the version it knows. */
export type WaitingPage = {
  key: UserKey
  known: number
  until: number
  instance: Instance
  hangUp: () => void
  answer: Answer | undefined
}

/** An encrypted request. It is kept so that a later step can send it again. */
export type SealedCall = { call: string; jti: string; date: number; jwe: string; exchange: Exchange }

/** The operators who may use the console. */
export const operators = [
  { name: 'alice', role: 'operator' as const, token: 'the-token-of-alice-0123' },
  { name: 'vic', role: 'viewer' as const, token: 'the-token-of-vic-012345' },
]

/** A web authorization that a page has begun. `proof` is the proof that the browser has received. */
export type Authorized = { key: UserKey; state: string; hash: string; proof: string | undefined }

/** The URL of the page to which the browser returns after WeChat's authorization. */
export const RETURN_URL = 'https://site.test/account'

const configs = new Map<string, Config>()

function configOf(settings: WorldSettings): Config {
  const { conflict, confirm, unsubscribe, hasWebhook, hasOauth, ready, forward, forwardsAll } = settings
  const id = [conflict, confirm, unsubscribe, hasWebhook, hasOauth, ready, forward, forwardsAll].join()
  const known = configs.get(id)
  if (known) return known
  const config = parseConfig({
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    WECHAT_TOKEN: account.token,
    WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
    WECHAT_API_BASE: 'http://wechat.test',
    BIND_KEYS: `k1:${secrets.k1!.toString('base64url')},k2:${secrets.k2!.toString('base64url')}:other`,
    DATABASE_URL: 'sqlite::memory:',
    LOG_LEVEL: 'silent',
    CONFLICT: conflict,
    CONFIRM: confirm,
    UNSUBSCRIBE: unsubscribe,
    QR_READY: String(ready),
    WECHAT_OAUTH: hasOauth ? 'on' : 'off',
    PUBLIC_URL: 'https://bind.test',
    CONSOLE_TOKENS: operators.map(({ name, token, role }) => `${name}:${token}:${role}`).join(','),
    ALLOWED_ORIGINS: 'https://site.test',
    QR_PER_MINUTE: String(QR_LIMITS.minute),
    QR_PER_HOUR: String(QR_LIMITS.hour),
    QR_PER_DAY: String(QR_LIMITS.day),
    ...replyTexts,
    ...(forward === 'off' ? {} : { FORWARD_URL, FORWARD_ERRORS: forward, FORWARD_ALL: String(forwardsAll) }),
    ...(hasWebhook ? { WEBHOOK_URL, WEBHOOK_SECRET } : {}),
  })
  configs.set(id, config)
  return config
}

export type World = Awaited<ReturnType<typeof openWorld>>

type WorldDeps = { database: Database; settings: WorldSettings; random: () => number }

export const STARTED_AT = Date.UTC(2026, 0, 15, 8)

export async function openWorld({ database, settings, random }: WorldDeps) {
  const time = createTime(STARTED_AT)
  const wechat = createWechat(settings, time.clock)
  const receiver = createReceiver(time.clock)
  const old = createOldSystem()
  const logLines: string[] = []
  const write = (fields: object, message: string) => void logLines.push(JSON.stringify({ ...fields, message }))
  const log: Log = { debug() {}, info: write, warn: write, error: write }
  const config = configOf(settings)
  let turn: (() => Promise<void>) | undefined

  const fetchOf = (url: string): Fetch => {
    if (url.startsWith(FORWARD_URL)) return old.fetch
    return url.startsWith(WEBHOOK_URL) ? receiver.fetch : wechat.fetch
  }

  const open = () =>
    openInstance({
      config,
      database,
      time,
      log,
      random,
      turn: async () => turn?.(),
      fetch: (url, init) => fetchOf(url)(url, init),
    })

  await database.clear()
  const instances: Instance[] = []
  for (let i = 0; i < settings.instances; i++) instances.push(await open())
  const tokens = new Map<UserKey, { token: string; until: number }>()
  let calls = 0

  return {
    settings,
    database,
    time,
    wechat,
    receiver,
    old,
    logLines,
    sent: [] as Sent[],
    send(sent: Sent): void {
      this.sent.push(sent)
      const { kind, openid } = sent.message
      if (kind === 'unfollow') wechat.setFollows(openid, false)
      if (kind === 'scan' || kind === 'subscribe' || kind === 'follow') wechat.setFollows(openid, true)
    },
    pages: [] as WaitingPage[],
    calls: [] as SealedCall[],
    authorized: [] as Authorized[],
    /** The sessions in the browsers of the operators. */
    browsers: [] as ({ cookie: string; csrf: string } | undefined)[],
    hashOfCookie: (cookie: string) => hashOf('console session', cookie),
    hashOfState: (state: string) => hashOf('oauth state', state),
    /** The scenes of all tickets so far. */
    given: new Set<string>(),
    walks: new Map<string, Walk>(),
    feeds: new Map<string, Feed>(),
    readers: [] as WaitingReader[],
    hasLostEvents: () => time.clock() - STARTED_AT >= EVENTS_KEPT,
    instances,
    at: (index: number): Instance => instances[index % instances.length]!,

    /** Starts a new server in place of a stopped one. */
    async reopen(instance: Instance): Promise<void> {
      instances[instances.indexOf(instance)] = await open()
    },

    /** Runs `work`. The calls to the store run one after the other, in the order of the scheduler. */
    async inTurns<T>(scheduler: Scheduler, work: () => Promise<T>): Promise<T> {
      turn = () => scheduler.schedule(Promise.resolve())
      return work().finally(() => {
        turn = undefined
      })
    },

    /** Resolves when no request or job is running. Does not wait for answers that WeChat or the receiver holds back. */
    async settle(): Promise<void> {
      let busy = -1
      for (let quiet = 0; quiet < 3; ) {
        await new Promise(setImmediate)
        const underway = instances.reduce((sum, instance) => sum + instance.view.underway(), 0)
        quiet = underway === 0 && busy === 0 ? quiet + 1 : 0
        busy = underway
      }
    },

    async tokenOf(key: UserKey, label: string | null): Promise<string> {
      const id = `${key} ${label}`
      const known = tokens.get(id)
      if (known && time.clock() < known.until) return known.token
      const { tenant, account: userAccount, userId } = identityOf(key)
      const kid = kidOf(tenant)
      const request = { account: userAccount, userId, ...(label === null ? {} : { label }), ttlSeconds: 900 }
      const token = await sealToken(request, kid, secrets[kid]!, time.clock())
      tokens.set(id, { token, until: time.clock() + 800_000 })
      return token
    },

    /**
     * Waits until all servers know the commits of other servers. On PostgreSQL they learn of a commit by a
     * notification, which takes some milliseconds.
     */
    async untilNotified(isAnyLate: () => boolean): Promise<void> {
      if (!database.notifiesLate) return
      for (let tries = 0; tries < 100 && isAnyLate(); tries++) {
        await delay(10)
        await this.settle()
      }
    },

    newJti: () => `jti-${++calls}`,

    async sealCall(call: string, tenant: string, { jti, date }: { jti: string; date: number }, fields: object) {
      const kid = kidOf(tenant)
      const jwe = await sealEnvelope({ ...fields, Date: date }, { kid, jti }, secrets[kid]!)
      return { call, jti, date, jwe }
    },

    secretFor: (tenant: string): Buffer => secrets[kidOf(tenant)]!,
    tenantOf,

    /** Ends every server, so that no server is left for the next run. */
    close(): void {
      for (const instance of instances) instance.kill()
    },
  }
}
