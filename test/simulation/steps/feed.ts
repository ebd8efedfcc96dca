/** The steps in which a back end reads all events (`GetEvents`), page by page or with a long poll. */
import type { Answer } from '../../../server/http/answer.ts'
import type { Op } from '../model/explain.ts'
import type { Observed } from '../model/observed.ts'
import { tenantOf, type UserKey } from '../model/state.ts'
import type { Story } from '../story.ts'
import { type Instance, LOST } from '../world/instance.ts'
import type { World } from '../world/world.ts'
import { call, readData } from './back-ends.ts'
import { FAILED, type Outcome, PARKED } from './exchange.ts'
import { type ReaderStep, tenants } from './readers.ts'

const DAY = 86_400_000

/** Events are kept for 90 days. */
export const EVENTS_KEPT = 90 * DAY

const WAIT_S = 25

/** The state of a back end that reads all events of a tenant. */
export type Feed = { cursor: string | undefined; versions: Map<UserKey, number>; seen: Set<string>; isAtEnd: boolean }

export const newFeed = (): Feed => ({ cursor: undefined, versions: new Map(), seen: new Set(), isAtEnd: false })

/** A reader that waits for the next event. */
export type WaitingReader = { tenant: string; until: number; instance: Instance; answer: Answer | undefined }

type FeedData = {
  Items: {
    Id: string
    type: string
    data: { Account: string; User_ID: string; Version: number; Reason: string }
  }[]
  Cursor: string
  HasMore: boolean
}

type Page = { data: FeedData } | 'gone' | 'failed'

async function readPage(world: World, tenant: string, answer: Answer): Promise<Page | Outcome> {
  let data: FeedData | undefined
  const outcome = await readData(world, tenant, answer, (got: FeedData) => {
    data = got
  })
  if (data) return { data }
  if ('fault' in outcome) return outcome
  if (outcome.value === FAILED) return 'failed'
  return (outcome.value as { code?: string }).code === 'EVENTS_GONE' ? 'gone' : outcome
}

const isPage = (read: Page | Outcome): read is Page => typeof read === 'string' || 'data' in read

const fieldsOf = ({ cursor }: Feed) => ({ Action: 'Get', ...(cursor === undefined ? {} : { After: cursor }) })

function feedOf(world: World, tenant: string): Feed {
  const feed = world.feeds.get(tenant) ?? newFeed()
  world.feeds.set(tenant, feed)
  return feed
}

/**
 * Reads one page of the events. The events of each user must come in order, each event must match a change, and no
 * event may be missing.
 */
export async function feedPage(story: Story, step: Omit<ReaderStep, 'do'>): Promise<void> {
  const { world } = story
  const tenant = tenants[step.tenant % tenants.length]!
  const feed = feedOf(world, tenant)
  let page: Page | undefined
  const op: Op = function* () {
    yield
    return 'page'
  }
  async function read(answer: object): Promise<Outcome> {
    const got = await readPage(world, tenant, answer as Answer)
    if (!isPage(got)) return got
    page = got
    return { value: got === 'failed' ? FAILED : 'page' }
  }
  const fields = { ...fieldsOf(feed), Limit: step.limit }
  await story.request([call(world, world.at(step.at), 'GetEvents', `${tenant}//`, fields, () => op, read)])
  const wrong = page && takePage(story, tenant, page)
  if (wrong) throw new Error(wrong)
  const { isAtEnd } = feedOf(world, tenant)
  const [missing] = page && page !== 'failed' && isAtEnd ? unseen(world, tenant, story.seen()) : []
  if (missing) throw new Error(`the feed has left out ${missing.uid} of ${missing.user}`)
}

type Facts = { world: World; told: { uids: Map<string, string> }; seen: () => Observed }

/** Returns the fault of the page, if there is one. */
function takePage({ world, told }: Facts, tenant: string, page: Page): string | undefined {
  if (page === 'failed') return undefined
  if (page === 'gone') {
    world.feeds.set(tenant, newFeed())
    return world.hasLostEvents() ? undefined : 'EVENTS_GONE, although no event has expired'
  }
  const feed = feedOf(world, tenant)
  for (const { Id, type, data: event } of page.data.Items) {
    const key = `${tenant}/${event.Account}/${event.User_ID}`
    const name = `${key} ${event.Version} ${type.slice('binding.'.length)} ${event.Reason}`
    const known = told.uids.get(Id)
    if (known !== name) return `the feed has "${name}" (${Id}), which is "${known}"`
    const before = feed.versions.get(key) ?? 0
    if (event.Version <= before) return `the feed has version ${event.Version} of ${key} after version ${before}`
    feed.versions.set(key, event.Version)
    feed.seen.add(Id)
  }
  feed.cursor = page.data.Cursor
  feed.isAtEnd = !page.data.HasMore
  return undefined
}

const unseen = (world: World, tenant: string, { events }: Observed) =>
  events.filter(({ user, uid, erased }) => tenantOf(user) === tenant && !erased && !feedOf(world, tenant).seen.has(uid))

/**
 * Requests the next events with a long poll. If the reader is not at the end of the events, or already waits, it reads
 * a page instead.
 */
export async function feedWait(story: Story, step: Omit<ReaderStep, 'do'>): Promise<void> {
  const { world } = story
  const tenant = tenants[step.tenant % tenants.length]!
  const feed = feedOf(world, tenant)
  if (!feed.isAtEnd || world.readers.some((reader) => reader.tenant === tenant)) return feedPage(story, step)
  const instance = world.at(step.at)
  const op: Op = function* () {
    yield
    return PARKED
  }
  const fields = { ...fieldsOf(feed), Wait: WAIT_S }
  const read = async (answer: object): Promise<Outcome> => {
    const got = await readPage(world, tenant, answer as Answer)
    if (!isPage(got)) return got
    return { value: got === 'failed' ? FAILED : PARKED }
  }
  const exchange = call(world, instance, 'GetEvents', `${tenant}//`, fields, () => op, read)
  const reader: WaitingReader = { tenant, until: world.time.clock() + WAIT_S * 1000, instance, answer: undefined }
  async function send() {
    world.readers.push(reader)
    const answer = await exchange.send()
    if (answer !== LOST) reader.answer = answer as Answer
    return answer
  }
  return story.request([{ ...exchange, send }])
}

/** Returns a reader that still waits although an event is committed. */
export const isLate = (world: World, { tenant, answer }: WaitingReader, seen: Observed): boolean =>
  !answer && unseen(world, tenant, seen).length > 0

/**
 * Checks the waiting readers and returns a fault. A reader must get the next event at once, or an empty answer after
 * its full waiting time.
 */
export async function checkReaders(facts: Facts): Promise<string | undefined> {
  const { world } = facts
  const now = world.time.clock()
  for (const reader of world.readers) {
    const { tenant, until, answer } = reader
    if (!answer) {
      if (isLate(world, reader, facts.seen())) return `a reader of ${tenant} still waits, but an event is committed`
      if (now > until + 1000) return `a reader of ${tenant} waits longer than its time limit`
      continue
    }
    const page = await readPage(world, tenant, answer)
    if (!isPage(page)) return 'fault' in page ? page.fault : `a waiting reader got ${JSON.stringify(page)}`
    if (typeof page === 'object' && page.data.Items.length === 0 && now < until)
      return 'a waiting reader got an empty answer before its time limit'
    const wrong = takePage(facts, tenant, page)
    if (wrong) return wrong
  }
  world.readers = world.readers.filter(({ answer }) => !answer)
  return undefined
}
