/**
 * Plays a story: runs each step in the world (the simulated environment of the servers) and in the model, and compares
 * the results.
 */
import fc from 'fast-check'
import type { Answer } from '../../server/http/answer.ts'
import { erasedHash } from '../../server/store/sql/erasure.ts'
import { checkInvariants, newTold } from './invariants.ts'
import { expireHolds } from './model/chat.ts'
import { type Choose, explain, type Happening } from './model/explain.ts'
import {
  adopt,
  differ,
  difference,
  type Known,
  type Observed,
  queries,
  type Rows,
  toObserved,
} from './model/observed.ts'
import { type Asked, finishQr } from './model/page.ts'
import { holds, newState, type State, type UserKey, userOf } from './model/state.ts'
import { keepStanding } from './steps/readers.ts'
import { type Exchange, FAILED, type Outcome, PARKED, PENDING } from './steps/requests.ts'
import { LOST } from './world/instance.ts'
import { type Database, type Fault, hashOf } from './world/store.ts'
import { account, unionidOf } from './world/wechat.ts'
import { identityOf, openWorld, STARTED_AT, type WorldSettings } from './world/world.ts'

export type Story = Awaited<ReturnType<typeof beginStory>>

/** A request that waits for an answer of WeChat. */
type Waiting = { asked: Asked; sent: Sending }

type Sending = { exchange: Exchange; answer: Answer | object | typeof LOST | typeof PENDING }

type StoryDeps = { database: Database; settings: WorldSettings; random: () => number }

const names = {
  floorOf: (key: UserKey) => erasedHash({ hashOf }, identityOf(key)),
  unfollowOf: (openid: string) => hashOf(account.appId, openid),
  deliveryOf: (key: string) => `${key.slice(0, key.indexOf('|') + 1)}${hashOf(key)}`,
}

export async function beginStory({ database, settings, random }: StoryDeps) {
  const world = await openWorld({ database, settings, random })
  const told = newTold()
  const known: Known = {
    ...names,
    follows: world.wechat.follows,
    unionidOf: settings.hasUnionid ? unionidOf : () => undefined,
  }
  let m: State = newState(settings, STARTED_AT)
  let waiting: Waiting[] = []
  let seen: Observed = toObserved(Object.fromEntries(Object.keys(queries).map((name) => [name, []])) as unknown as Rows)
  let isTroubled = false

  async function observe(): Promise<Observed> {
    const rows: Partial<Rows> = {}
    for (const [name, sql] of Object.entries(queries)) rows[name as keyof Rows] = await database.rows(sql)
    return toObserved(rows as Rows)
  }

  function send(exchange: Exchange): Sending {
    const sending: Sending = { exchange, answer: PENDING }
    void exchange.send().then(
      (answer) => {
        sending.answer = answer
      },
      (error: Error) => {
        sending.answer = { thrown: error }
      },
    )
    return sending
  }

  /**
   * Runs the requests at the same time. Their calls to the store run one after the other, until every request has its
   * answer or waits for WeChat.
   */
  async function takeTurns(exchanges: Exchange[], order: number): Promise<Sending[]> {
    const [scheduler] = fc.sample(fc.scheduler(), { seed: order, numRuns: 1 })
    return world.inTurns(scheduler!, async () => {
      const sent = exchanges.map(send)
      for (let idle = 0; idle < 6 || scheduler!.count() > 0; ) {
        await new Promise(setImmediate)
        if (scheduler!.count() > 0) {
          idle = 0
          await scheduler!.waitOne()
        } else if (sent.every(({ answer }) => answer !== PENDING)) idle = 6
        else idle++
      }
      return sent
    })
  }

  async function readOutcome({ exchange, answer }: Sending): Promise<Outcome> {
    if (typeof answer === 'symbol') return { value: answer === LOST ? FAILED : PENDING }
    if ('thrown' in answer) return { fault: `thrown: ${(answer.thrown as Error).stack}` }
    return exchange.read(answer)
  }

  /**
   * Waits until the webhook sender is idle. The sender collects accepted notices for some milliseconds before it
   * removes them.
   */
  async function quiet(): Promise<void> {
    await world.settle()
    for (let rounds = 0; rounds < 5 && world.receiver.hasNew(); rounds++) {
      world.receiver.noteSeen()
      world.time.jump(20)
      world.time.fire()
      await world.settle()
    }
  }

  /**
   * Compares the whole state with the model. The model runs the requests of this step and the requests whose wait for
   * WeChat has ended.
   */
  async function compare(sent: Sending[]): Promise<void> {
    const ended = waiting.filter((each) => each.sent.answer !== PENDING)
    waiting = waiting.filter((each) => each.sent.answer === PENDING)
    const outcomes: Outcome[] = []
    for (const sending of [...sent, ...ended.map((each) => each.sent)]) outcomes.push(await readOutcome(sending))
    for (const outcome of outcomes) if ('fault' in outcome) fail(outcome.fault)
    const values = outcomes.map((outcome) => (outcome as { value: unknown }).value)
    const mayFail = values.includes(FAILED) || isTroubled
    const happenings: Happening[] = [
      ...sent.map(({ exchange }, i) => ({
        op: exchange.op({ isPending: values[i] === PENDING, mayFail }),
        mayEndEarly: values[i] === FAILED,
      })),
      ...ended.map(
        ({ asked }, i): Happening => ({
          op: (s, choose) => finishQr(s, { ...asked, request: { ...asked.request, mayFail } }, choose),
          mayEndEarly: values[sent.length + i] === FAILED,
          isApart: sent.length === 0 && new Set(ended.map((each) => each.asked.request.key)).size === ended.length,
        }),
      ),
    ]
    seen = await observe()
    const before: State = { ...m, offered: world.wechat.takeOffered(), made: new Map(), asking: new Map() }
    const explained = explain(before, expireFirst, happenings, ({ state, answers }) => {
      for (const [i, value] of values.entries()) {
        const wrong = answerFault(value, answers[i])
        if (wrong) return wrong
      }
      state.now = world.time.clock()
      adopt(state, seen, known)
      return difference(state, seen, known)
    })
    if ('fault' in explained) fail(explained.fault)
    const { state, answers } = explained.explanation
    m = state
    for (const [i, sending] of sent.entries()) {
      const answer = answers[i]
      if (!isAsked(answer)) continue
      const { asked } = answer
      // The order of requests at the same time is unknown. This request may have been sent to WeChat before or after
      // the other requests changed the epoch.
      const latestEpoch = userOf(m, asked.request.key).epoch
      waiting.push({ asked: { ...asked, latestEpoch }, sent: sending })
    }
    world.pages = world.pages.filter(({ instance }) => instance.isAlive())
    await world.untilNotified(({ key, known }) => (m.users.get(key)?.version ?? 0) > known)
    keepStanding(world.walks, m)
    const fresh = holds(m.tickets.values()).filter(({ scene }) => !before.tickets.get(scene)?.hold)
    const shown = digitsIn(values[0])
    if (sent.length === 1 && shown !== undefined && fresh[0] && fresh[0].hold.digits !== shown) {
      fail('the chat shows other digits than the store expects')
    }
    const wrong = checkInvariants(world, m, seen, told)
    if (wrong) fail(wrong)
  }

  return {
    world,
    told,
    model: () => m,
    /** The content of the store after the last step. */
    seen: () => seen,
    isWaiting: (key: UserKey) => waiting.some(({ asked }) => asked.request.key === key),

    /** Sends one or several requests at once, and waits until the server is idle. */
    async request(exchanges: Exchange[], { fault, order = 0 }: { fault?: Fault; order?: number } = {}): Promise<void> {
      m = { ...m, now: world.time.clock() }
      const [first] = exchanges
      first?.instance.view.plan(fault)
      isTroubled = fault !== undefined
      world.wechat.holdInfos()
      const sent = exchanges.length > 1 ? await takeTurns(exchanges, order) : exchanges.map(send)
      await quiet()
      first?.instance.view.plan(undefined)
      if (world.wechat.releaseInfos()) await quiet()
      if (fault) told.isDisturbed = true
      await compare(sent)
      isTroubled = false
      await replaceDead()
    },

    /** Compares the state after a step without a request. */
    async settle(): Promise<void> {
      m = { ...m, now: world.time.clock() }
      await quiet()
      await compare([])
      await replaceDead()
    },
  }

  async function replaceDead(): Promise<void> {
    for (const instance of world.instances) {
      if (instance.isAlive()) continue
      told.isDisturbed = true
      await world.reopen(instance)
      await quiet()
      await compare([])
    }
  }
}

/** The server closes expired scans by itself. It may do so before the requests of the same step. */
function expireFirst(m: State, choose: Choose): void {
  const keys = new Set(holds(m.tickets.values()).flatMap(({ user, hold }) => (m.now >= hold.until ? [user] : [])))
  if (keys.size > 0 && choose(2) === 1) for (const key of keys) expireHolds(m, key)
}

function fail(what: string): never {
  throw new Error(what)
}

/** Compares an answer with the answer of the model. */
function answerFault(value: unknown, expected: unknown): string | undefined {
  if (value === FAILED) return undefined
  // The answer to a page that has waited is checked in `checkInvariants`, together with the other waiting pages.
  if (expected === PARKED && (value === PENDING || 'version' in (value as object))) return undefined
  if (value === PENDING) return isAsked(expected) ? undefined : 'the request has no answer'
  return differ('the answer', sorted(expected), sorted(withoutDigits(value)))
}

const isAsked = (expected: unknown): expected is { asked: Asked } =>
  typeof expected === 'object' && expected !== null && 'asked' in expected

const digitsIn = (value: unknown) => (value as { reply?: { digits?: string } | null } | undefined)?.reply?.digits

function withoutDigits(value: unknown): unknown {
  const { reply, ...rest } = value as { reply?: { name: string; label: string | null } | null }
  return reply ? { ...rest, reply: { name: reply.name, label: reply.label } } : value
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value) || value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
