/** The simulated WeChat: its API, its users' phones, and the deliveries to one callback URL. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { createAccessTokens } from './access-tokens.ts'
import { type Account, createAccount, type Random } from './account.ts'
import { createApi } from './api.ts'
import { createAuthorizePage } from './authorize-page.ts'
import { createChangeListeners } from './change-listeners.ts'
import { createControlApi, toSimulatorView } from './control-api.ts'
import { createDelivery } from './delivery.ts'
import { createCurrentFaults, createFaults, type Delay, type Faults } from './faults.ts'
import { createFaultyDelivery } from './faulty-delivery.ts'
import type { Migration } from './migration.ts'
import { createPhone, type Phone, type PhoneMemory } from './phone.ts'
import { createQrcodes, isExpired, type Qrcode } from './qrcodes.ts'
import { createQuota } from './quota.ts'
import type { TrustedNames } from './request-guard.ts'
import { createTrafficLog, type TrafficLog } from './traffic-log.ts'
import { type AuthorizeOptions, type AuthorizeResult, createWebAuthorization } from './web-authorization.ts'

/** The state that is kept over a restart. Access tokens and the traffic log are not kept. */
export type SimulatorMemory = { qrcodes: Qrcode[]; phones: Record<string, PhoneMemory> }

/** `hosts` and `origins` apply to the control API only. */
export type SimulatorOptions = TrustedNames & {
  /** The account's settings in WeChat's console. Missing settings get random values. */
  account?: Partial<Account>
  callbackUrl?: string | undefined
  /** The old account in an account migration (账号迁移). Its followers were migrated to the simulated account. */
  migration?: Migration | undefined
  /** The people who have a phone from the start. Another person gets a phone when the name is first used. */
  people?: string[]
  /** A traffic log to which other components also write. */
  wire?: TrafficLog
  remembered?: SimulatorMemory | undefined
  /** Epoch ms. */
  clock?: () => number
  delay?: Delay
  /** Sends the callbacks. A test can pass the bind server's `app.request`. */
  fetch?: (url: string, init: RequestInit) => Response | Promise<Response>
  random?: Random
  /**
   * Returns the faults, the mode and the callback URL for the current request. If it returns undefined, the simulator
   * uses its own.
   */
  current?: () => { faults: Faults; mode: Account['mode']; callbackUrl: string } | undefined
}

export type Simulator = ReturnType<typeof createSimulator>

const NAME = /^[\w-]{1,64}$/
const MAX_PEOPLE = 1000

export function createSimulator(options: SimulatorOptions = {}) {
  const { clock = Date.now, random = randomBytes, people = ['amy', 'bo'], remembered, hosts, origins } = options
  const {
    wire = createTrafficLog(),
    fetch = globalThis.fetch,
    delay = (ms, signal) => sleep(ms, undefined, { signal }),
  } = options
  const { current = () => undefined } = options
  const account = createAccount(options.account ?? {}, random)
  /** The account with the mode that applies to the current request. */
  const withMode = (): Account => ({ ...account, mode: current()?.mode ?? account.mode })
  let callbackUrl = options.callbackUrl

  const closing = new AbortController()
  const { signal } = closing
  const changes = createChangeListeners()
  const ownFaults = createFaults({ delay, signal })
  const faults = createCurrentFaults(() => current()?.faults ?? ownFaults)
  const accessTokens = createAccessTokens({ clock, random })
  const quota = createQuota({ clock })
  const qrcodes = createQrcodes({ clock, random, remembered: remembered?.qrcodes ?? [] })
  const delivery = createDelivery({
    account: withMode,
    callbackUrl: () => current()?.callbackUrl ?? callbackUrl,
    clock,
    delay,
    fault: faults.callback,
    fetch: async (url, init) => fetch(url, init),
    random,
    wire,
    signal,
  })
  const deliver = createFaultyDelivery({ deliver: delivery.deliver, fault: faults.callback, delay, signal })
  const phones: Phone[] = []

  /** Returns a person's phone. The first call for a name creates the phone. Throws TypeError for an invalid name. */
  function phone(person: string): Phone {
    const known = phones.find((one) => one.person === person)
    if (known) return known
    if (!NAME.test(person)) throw new TypeError(`a person's name is 1 to 64 letters, digits, "-" or "_", got ${person}`)
    if (phones.length >= MAX_PEOPLE)
      throw new TypeError(`the simulator has the maximum of ${MAX_PEOPLE} people: use an existing one`)
    const phoneDeps = { person, account, qrcodes, deliver, clock, random, changes }
    const made = createPhone({ ...phoneDeps, remembered: remembered?.phones[person] })
    phones.push(made)
    return made
  }

  for (const person of new Set([...people, ...Object.keys(remembered?.phones ?? {})])) phone(person)

  const webAuthorization = createWebAuthorization({ account, clock, random })
  const parts = {
    callbackUrl: () => callbackUrl,
    account,
    accessTokens,
    qrcodes,
    quota,
    phones,
    phone,
    migration: options.migration,
    webAuthorization,
    faults,
    wire,
    changes,
    trusted: { hosts, origins },
    clock,
    random,
    signal,
  }
  const api = createApi(parts)
  return {
    account,
    accessTokens,
    phones: phones as readonly Phone[],
    phone,
    faults,
    wire,
    changes,
    view: () => toSimulatorView(parts),
    /**
     * The HTTP app. `/cgi-bin/*` and `/sns/*` are WeChat's API, `/connect/*` are WeChat's pages, and `/control/*` is
     * the control API.
     */
    app: new Hono()
      .route('/cgi-bin', api)
      .route('/sns', api)
      .route('/connect', createAuthorizePage(parts))
      .route('/control', createControlApi(parts)),
    /** Opens the URL of a web authorization on a person's phone. Returns the URL to which WeChat sends the browser, or its error page. */
    authorize: (person: string, link: string, how?: AuthorizeOptions): AuthorizeResult =>
      webAuthorization.authorize(phone(person), link, how),
    setCallbackUrl(url: string): void {
      callbackUrl = url
    },
    /** Sets the callback mode in the console; a test account (测试号) supports only `plain`. */
    setMode(mode: Account['mode']): void {
      account.mode = mode
    },
    verifyCallbackUrl: delivery.verifyCallbackUrl,
    expireQrcode: qrcodes.expire,
    keepContext: qrcodes.keepContext,
    memory(): SimulatorMemory {
      return {
        qrcodes: qrcodes.all().filter((qrcode) => !isExpired(qrcode, clock())),
        phones: Object.fromEntries(phones.map((one) => [one.person, one.memory()])),
      }
    },
    /** Aborts running deliveries and closes the streams. */
    close(): void {
      closing.abort()
    },
  }
}
