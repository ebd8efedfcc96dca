/**
 * Runs one story, a random or recorded sequence of steps. Runs each step both in the world (the simulated environment of the
 * servers) and in the model, then compares the results.
 */
import { erasedHash } from '../../server/store/sql/erasure.ts'
import { answerFault, digitsIn } from './answers.ts'
import { checkInvariants, newTold } from './invariants.ts'
import { adopt, completeErasures, hasNews, type Known, learn } from './model/adopt.ts'
import { expireHolds } from './model/confirm.ts'
import { differ, difference } from './model/difference.ts'
import { type Choose, explain, type Happening, type Op } from './model/explain.ts'
import { type Observed, queries, type Rows, toObserved } from './model/observed.ts'
import { type Answer, viewOf } from './model/page.ts'
import { holds, isOld, newState, type State, type UserKey, userOf } from './model/state.ts'
import { readOutcome, type Sending, send, takeTurns } from './sending.ts'
import { type Exchange, FAILED, isLater, type Later, type Outcome, PENDING } from './steps/exchange.ts'
import { checkReaders, isLate } from './steps/feed.ts'
import { keepStanding } from './steps/readers.ts'
import { type Database, type Fault, hashOf } from './world/store.ts'
import { account, OLD_APP, unionidOf } from './world/wechat.ts'
import { identityOf, openWorld, STARTED_AT, type WorldSettings } from './world/world.ts'

export type Story = Awaited<ReturnType<typeof beginStory>>

/** A request that waits for an answer of WeChat. */
type Waiting = { later: Later; latestEpoch: number; views: Answer[]; name: string | undefined; sent: Sending }

const isRefusal = (value: unknown) => typeof value === 'object' && value !== null && 'code' in value

const nothing: Op = function* () {}

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
    isToldFollower: world.wechat.isToldFollower,
    appIdOf: (openid) => (isOld(openid) ? OLD_APP : account.appId),
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

  /**
   * Returns the QR codes that the tickets of this step may have. If the server requests no QR codes in advance, these
   * are all QR codes that WeChat has created in this step. Otherwise they are the QR codes of the new tickets, the QR
   * codes in the answers, and two more. The two more are needed because the server may lose a QR code after it has taken
   * the code from the pool. The server gives no QR code to two tickets.
   */
  function offersFor(values: unknown[]): string[] {
    const offered = world.wechat.takeOffered()
    if (world.settings.ready === 0) return offered
    const free = new Set([...world.wechat.made.keys()].filter((scene) => !world.given.has(scene)))
    const answered = values.map((value) => (value as { scene?: string } | null)?.scene ?? '')
    const taken = [...new Set([...seen.tickets.keys(), ...answered])].filter((scene) => free.delete(scene))
    return [...taken, ...[...free].slice(0, 2)]
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
    const ended = waiting
      .filter((each) => each.sent.answer !== PENDING)
      .sort((a, b) => Number(a.later.isJoined ?? false) - Number(b.later.isJoined ?? false))
    waiting = waiting.filter((each) => each.sent.answer === PENDING)
    const outcomes: Outcome[] = []
    for (const sending of [...sent, ...ended.map((each) => each.sent)]) outcomes.push(await readOutcome(sending))
    for (const outcome of outcomes) if ('fault' in outcome) fail(outcome.fault)
    const values = outcomes.map((outcome) => (outcome as { value: unknown }).value)
    const mayFail = values.includes(FAILED) || isTroubled
    // A command that WeChat has refused changes nothing.
    const keyOf = ({ later: { key } }: Waiting, i: number) =>
      key === '*' && isRefusal(values[sent.length + i]) ? 'nobody' : key
    const keys = ended.flatMap((each, i) => (each.later.isJoined ? [] : keyOf(each, i)))
    const isApart = (key: string) =>
      key === 'nobody' || (sent.length === 0 && !keys.includes('*') && keys.indexOf(key) === keys.lastIndexOf(key))
    // A server whose store is down commits nothing.
    const isCutOff = ({ exchange }: Sending, value: unknown) => value === FAILED && exchange.instance.view.isDown()
    const happenings: Happening[] = [
      ...sent.map((sending, i) => ({
        op: isCutOff(sending, values[i])
          ? (sending.exchange.opWithoutStore ?? nothing)
          : sending.exchange.op({ isPending: values[i] === PENDING, mayFail }),
        mayEndEarly: values[i] === FAILED,
      })),
      ...ended.map(
        ({ later, latestEpoch, views, sent: sending }, i): Happening => ({
          op: isCutOff(sending, values[sent.length + i]) ? nothing : later.resume({ mayFail, latestEpoch, views }),
          mayEndEarly: values[sent.length + i] === FAILED,
          isApart: isApart(keyOf(ended[i]!, i)),
        }),
      ),
    ]
    seen = await observe()
    const forwarded = world.old.takeReceived()
    const before: State = {
      ...m,
      offered: offersFor(values),
      taken: 0,
      exchanged: world.wechat.takeExchanged(),
      forwarded: [],
      hasChangedOpenids: world.wechat.takeChanged(),
      made: new Map(),
      asking: new Map(),
      beforeErasure: [],
      learn(state, choose) {
        completeErasures(state, seen, choose)
        if (hasNews(state, seen) && choose(2) === 1) learn(state, seen, known)
      },
    }
    const faultOf = (i: number, answer: unknown) => answerFault(values[i], answer)
    const explained = explain(before, workFirst, happenings, faultOf, ({ state }) => {
      const wrong = differ('the forwarded messages', [...state.forwarded].sort(), forwarded)
      if (wrong) return wrong
      state.now = world.time.clock()
      adopt(state, seen, known)
      return difference(state, seen, known)
    })
    if ('fault' in explained) fail(explained.fault)
    const { state, answers } = explained.explanation
    m = state
    world.wechat.forgetTold()
    for (const [i, sending] of sent.entries()) {
      const answer = answers[i]
      if (!isLater(answer)) continue
      const { later } = answer
      // The order of requests at the same time is unknown. This request may have been sent to WeChat before or after
      // the other requests changed the epoch.
      const latestEpoch = userOf(m, later.key).epoch
      waiting.push({ later, latestEpoch, views: [], name: sending.exchange.only, sent: sending })
    }
    for (const { later, views } of waiting) views.push(viewOf(m, later.key))
    world.pages = world.pages.filter(({ instance }) => instance.isAlive())
    world.readers = world.readers.filter(({ instance }) => instance.isAlive())
    await world.untilNotified(
      () =>
        world.pages.some(({ key, known, answer }) => !answer && (m.users.get(key)?.version ?? 0) > known) ||
        world.readers.some((reader) => isLate(world, reader, seen)),
    )
    keepStanding(world.walks, m)
    const fresh = holds(m.tickets.values()).filter(({ scene }) => !before.tickets.get(scene)?.hold)
    const shown = digitsIn(values[0])
    if (sent.length === 1 && shown !== undefined && fresh[0] && fresh[0].hold.digits !== shown) {
      fail('the digits in the chat differ from the digits in the store')
    }
    const wrong = checkInvariants(world, m, seen, told) ?? (await checkReaders({ world, told, seen: () => seen }))
    if (wrong) fail(wrong)
  }

  return {
    world,
    told,
    model: () => m,
    /** The content of the store after the last step. */
    seen: () => seen,
    isWaiting: (name: string) => waiting.some((each) => each.name === name),

    /** Sends one or several requests at once, and waits until the server is idle. */
    async request(exchanges: Exchange[], { fault, order = 0 }: { fault?: Fault; order?: number } = {}): Promise<void> {
      beginStep()
      const [first] = exchanges
      first?.instance.view.plan(fault)
      isTroubled = fault !== undefined
      world.wechat.holdInfos()
      const sent = exchanges.length > 1 ? await takeTurns(world, exchanges, order) : exchanges.map(send)
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
      beginStep()
      await quiet()
      await compare([])
      await replaceDead()
    },
  }

  function beginStep(): void {
    m = { ...m, now: world.time.clock(), step: m.step + 1 }
    world.wechat.beginStep(m.step)
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

/**
 * The server closes expired scans and stores WeChat's answers about users by itself. It may do so before the requests
 * of the same step.
 */
function workFirst(m: State, choose: Choose): void {
  const keys = new Set(holds(m.tickets.values()).flatMap(({ user, hold }) => (m.now >= hold.until ? [user] : [])))
  if (keys.size > 0 && choose(2) === 1) for (const key of keys) expireHolds(m, key)
  m.learn(m, choose)
}

function fail(what: string): never {
  throw new Error(what)
}
