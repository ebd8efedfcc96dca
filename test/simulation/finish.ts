/**
 * The end of a story. All faults end and several days pass. After that, the server must have no work left, and erased
 * data must not exist anywhere.
 */
import { type State, tenantOf } from './model/state.ts'
import { feedPage, newFeed } from './steps/feed.ts'
import { listPage } from './steps/readers.ts'
import { pass } from './steps/step.ts'
import type { Story } from './story.ts'
import type { Database } from './world/store.ts'
import { oldOpenids, openids, unionidOf } from './world/wechat.ts'
import type { World } from './world/world.ts'

const HOUR = 3_600_000
const TENANTS = 2

export async function finish(story: Story): Promise<void> {
  const { world } = story
  for (const { view } of world.instances) view.setDown(false)
  world.wechat.setTrouble('up')
  world.receiver.setMood('accepts')
  world.old.setMood('replies')
  await story.settle()
  await pass(story, 3 * 60_000)
  // The regular jobs run every minute, so they have run twice by now.
  await pass(story, 61_000)
  await expectDone(story)
  await expectNotices(story)
  await expectLists(story)
  await expectErased(world, story.model())
}

/** Work that needs no other system must be done within two minutes. */
async function expectDone(story: Story): Promise<void> {
  const { world } = story
  const m = story.model()
  for (const { scene, hold } of m.tickets.values())
    if (hold && m.now > hold.until + 90_000) throw new Error(`the scan of ${scene} is never closed`)
  if (!world.settings.hasUnionid) return
  for (const { key, bound } of m.users.values()) {
    if (bound && bound.unionid === null && unionidOf(bound.openid))
      throw new Error(`the unionid of ${key} is never fetched`)
  }
}

/**
 * Within four days, the receiver must have accepted every notice, or the server must have given it up. If the receiver
 * is switched off, the story switches it on again.
 */
async function expectNotices(story: Story): Promise<void> {
  const { world, told } = story
  if (!world.settings.hasWebhook) return
  const left = async () =>
    (await world.database.rows("select event from outbox union all select event from notices where state = 'waiting'"))
      .length
  for (let rounds = 0; (await left()) > 0; rounds++) {
    if (rounds === 12) throw new Error(`${await left()} notices are never sent`)
    const { outbox } = world.at(0).deps.store
    for (const { name, status } of await outbox.receivers()) {
      if (status !== 'on') await outbox.enable(name, world.time.clock())
    }
    await pass(story, 30 * HOUR)
  }
  const failed = new Set(
    (await world.database.rows("select event from notices where state = 'failed'")).map(({ event }) => event),
  )
  for (const { uid, id, erased } of story.seen().events) {
    if (!told.acceptedIds.has(uid) && !erased && !failed.has(id)) throw new Error(`the event ${uid} was never sent`)
  }
}

/** The list of bindings must contain every existing binding, and the list of events must contain every stored event. */
async function expectLists(story: Story): Promise<void> {
  const { world } = story
  world.walks.clear()
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    await listPage(story, { do: 'list', tenant, limit: 500, at: 0 })
    const name = tenant === 0 ? 'default' : 'other'
    world.feeds.set(name, newFeed())
    await feedPage(story, { tenant, limit: 500, at: 0 })
    const kept = story.seen().events.filter(({ user }) => tenantOf(user) === name)
    const { seen } = world.feeds.get(name)!
    if (kept.length !== seen.size)
      throw new Error(`the feed of ${name} has ${seen.size} events, but the store has ${kept.length}`)
  }
}

/** If a WeChat account has no binding and no waiting scan, its ids must not be in a table or in a log line. */
async function expectErased(world: World, m: State): Promise<void> {
  const kept = new Set([
    ...[...m.users.values()].flatMap(({ bound }) => (bound ? [bound.openid] : [])),
    ...[...m.tickets.values()].flatMap(({ hold }) => (hold ? [hold.openid] : [])),
    ...[...m.authorizations.values()].flatMap(({ openid }) => openid ?? []),
  ])
  const log = world.logLines.join('\n')
  const tables = await textOf(world.database)
  for (const { state, proof = state } of world.authorized) {
    for (const secret of [state, proof])
      if (log.includes(secret) || tables.includes(secret))
        throw new Error('the log or the store contains a secret of an authorization')
  }
  for (const openid of [...openids, ...oldOpenids]) {
    const unionid = unionidOf(openid) ?? openid
    if (log.includes(openid) || log.includes(unionid)) throw new Error(`the log contains the id ${openid}`)
    if (kept.has(openid)) continue
    if (tables.includes(openid) || tables.includes(unionid))
      throw new Error(`the store contains the openid ${openid}, which is bound to nobody`)
  }
}

async function textOf(database: Database): Promise<string> {
  const tables: string[] = []
  for (const table of await database.tables())
    tables.push(JSON.stringify(await database.rows(`select * from ${table}`)))
  return tables.join('\n')
}
