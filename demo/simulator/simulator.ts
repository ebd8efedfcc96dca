/** WeChat, small enough to run in a test: its API, its people's phones, and its deliveries to one callback URL. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { createAccessTokens } from './access-tokens.ts'
import { type Account, createAccount, type Random } from './account.ts'
import { createApi } from './api.ts'
import { createChanges } from './changes.ts'
import { createControl } from './control.ts'
import { createDelivery } from './delivery.ts'
import { createFaults, type Delay } from './faults.ts'
import { createPhone, type Phone, type PhoneMemory } from './phone.ts'
import { createQrcodes, isExpired, type Qrcode } from './qrcodes.ts'
import { createQuota } from './quota.ts'
import { createWire } from './wire.ts'

/** What survives a restart; access tokens and the wire do not. */
export type SimulatorMemory = { qrcodes: Qrcode[]; phones: Record<string, PhoneMemory> }

export type SimulatorOptions = {
  /** What the account's owner set in the console; the rest is made up. */
  account?: Partial<Account>
  callbackUrl?: string | undefined
  /** Names of the people with a phone. */
  people?: string[]
  remembered?: SimulatorMemory | undefined
  /** Epoch ms. */
  clock?: () => number
  delay?: Delay
  /** For the deliveries: a test gives the bind server's `app.request`. */
  fetch?: (url: string, init: RequestInit) => Response | Promise<Response>
  random?: Random
}

export type Simulator = ReturnType<typeof createSimulator>

export function createSimulator(options: SimulatorOptions = {}) {
  const { clock = Date.now, random = randomBytes, people = ['amy', 'bo'], remembered } = options
  const { fetch = globalThis.fetch, delay = (ms, signal) => sleep(ms, undefined, { signal }) } = options
  const account = createAccount(options.account ?? {}, random)
  let callbackUrl = options.callbackUrl

  const closing = new AbortController()
  const { signal } = closing
  const changes = createChanges()
  const wire = createWire()
  const faults = createFaults({ delay, signal })
  const accessTokens = createAccessTokens({ clock, random })
  const quota = createQuota({ clock })
  const qrcodes = createQrcodes({ clock, random, remembered: remembered?.qrcodes ?? [] })
  const { deliver, verifyCallbackUrl } = createDelivery({
    account,
    callbackUrl: () => callbackUrl,
    clock,
    delay,
    fetch: async (url, init) => fetch(url, init),
    random,
    wire,
    signal,
  })
  const phones = people.map((person) =>
    createPhone({ person, account, qrcodes, deliver, clock, random, changes, remembered: remembered?.phones[person] }),
  )

  /** The phone of a person. Throws TypeError for a name that has none. */
  function phone(person: string): Phone {
    const found = phones.find((one) => one.person === person)
    if (!found) throw new TypeError(`nobody here is called ${person}: ${people.join(', ')}`)
    return found
  }

  const parts = { account, accessTokens, qrcodes, quota, phones, phone, faults, wire, changes, clock, random, signal }
  return {
    account,
    accessTokens,
    phone,
    faults,
    wire,
    changes,
    /** `/cgi-bin/*` is WeChat's API, `/control/*` drives the phones. */
    app: new Hono().route('/cgi-bin', createApi(parts)).route('/control', createControl(parts)),
    setCallbackUrl(url: string): void {
      callbackUrl = url
    },
    verifyCallbackUrl,
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
