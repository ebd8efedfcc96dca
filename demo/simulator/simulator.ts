/** WeChat, small enough to run in a test: its API, its people's phones, and its deliveries to one callback URL. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { createAccessTokens } from './access-tokens.ts'
import { type Account, createAccount, type Random } from './account.ts'
import { createApi } from './api.ts'
import { createChanges } from './change-listeners.ts'
import { createControl, toSimulatorView } from './control-api.ts'
import { createDelivery } from './delivery.ts'
import { createFaults, type Delay } from './faults.ts'
import { createUnruly } from './faulty-delivery.ts'
import { createPhone, type Phone, type PhoneMemory } from './phone.ts'
import { createQrcodes, isExpired, type Qrcode } from './qrcodes.ts'
import { createQuota } from './quota.ts'
import { createWire, type Wire } from './traffic-log.ts'

/** What survives a restart; access tokens and the wire do not. */
export type SimulatorMemory = { qrcodes: Qrcode[]; phones: Record<string, PhoneMemory> }

export type SimulatorOptions = {
  /** What the account's owner set in the console; the rest is made up. */
  account?: Partial<Account>
  callbackUrl?: string | undefined
  /** Names of the people who have a phone from the start; any other name gets one when it is first used. */
  people?: string[]
  /** To put what passes into a list that others write to as well. */
  wire?: Wire
  remembered?: SimulatorMemory | undefined
  /** Epoch ms. */
  clock?: () => number
  delay?: Delay
  /** For the deliveries: a test gives the bind server's `app.request`. */
  fetch?: (url: string, init: RequestInit) => Response | Promise<Response>
  random?: Random
}

export type Simulator = ReturnType<typeof createSimulator>

const NAME = /^[\w-]{1,64}$/
const MOST_PEOPLE = 1000

export function createSimulator(options: SimulatorOptions = {}) {
  const { clock = Date.now, random = randomBytes, people = ['amy', 'bo'], remembered } = options
  const {
    wire = createWire(),
    fetch = globalThis.fetch,
    delay = (ms, signal) => sleep(ms, undefined, { signal }),
  } = options
  const account = createAccount(options.account ?? {}, random)
  let callbackUrl = options.callbackUrl

  const closing = new AbortController()
  const { signal } = closing
  const changes = createChanges()
  const faults = createFaults({ delay, signal })
  const accessTokens = createAccessTokens({ clock, random })
  const quota = createQuota({ clock })
  const qrcodes = createQrcodes({ clock, random, remembered: remembered?.qrcodes ?? [] })
  const delivery = createDelivery({
    account,
    callbackUrl: () => callbackUrl,
    clock,
    delay,
    fault: faults.callback,
    fetch: async (url, init) => fetch(url, init),
    random,
    wire,
    signal,
  })
  const deliver = createUnruly({ deliver: delivery.deliver, fault: faults.callback, delay, signal })
  const phones: Phone[] = []

  /** The phone of a person, who need not have been heard of before. Throws TypeError for what is no name. */
  function phone(person: string): Phone {
    const known = phones.find((one) => one.person === person)
    if (known) return known
    if (!NAME.test(person)) throw new TypeError(`a person's name is 1 to 64 letters, digits, "-" or "_", got ${person}`)
    if (phones.length >= MOST_PEOPLE) throw new TypeError(`there are ${MOST_PEOPLE} people here: use one of them`)
    const phoneDeps = { person, account, qrcodes, deliver, clock, random, changes }
    const made = createPhone({ ...phoneDeps, remembered: remembered?.phones[person] })
    phones.push(made)
    return made
  }

  for (const person of new Set([...people, ...Object.keys(remembered?.phones ?? {})])) phone(person)

  const parts = { account, accessTokens, qrcodes, quota, phones, phone, faults, wire, changes, clock, random, signal }
  return {
    account,
    accessTokens,
    /** All who have one. */
    phones: phones as readonly Phone[],
    phone,
    faults,
    wire,
    changes,
    /** All that a page shows. */
    view: () => toSimulatorView(parts),
    /** `/cgi-bin/*` is WeChat's API, `/control/*` drives the phones. */
    app: new Hono().route('/cgi-bin', createApi(parts)).route('/control', createControl(parts)),
    setCallbackUrl(url: string): void {
      callbackUrl = url
    },
    /** The mode that the console is set to; a test account (测试号) has `plain` and nothing else. */
    setMode(mode: Account['mode']): void {
      account.mode = mode
    },
    verifyCallbackUrl: delivery.verifyCallbackUrl,
    expireQrcode: qrcodes.expire,
    memory(): SimulatorMemory {
      return {
        qrcodes: qrcodes.all().filter((qrcode) => !isExpired(qrcode, clock())),
        phones: Object.fromEntries(phones.map((one) => [one.person, one.memory()])),
      }
    },
    /** Ends the deliveries and streams under way. */
    close(): void {
      closing.abort()
    },
  }
}
