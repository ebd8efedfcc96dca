/** The present version opens a store of the first version that has rows in every table. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Dialect, Kysely, PostgresDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { afterAll, describe, expect, test } from 'vitest'
import { openStore } from '../../../../server/store/open-store.ts'
import { createMaintenancePool } from '../../../../server/store/postgres/pool.ts'
import type { AnyDb, Engine } from '../../../../server/store/sql/engine.ts'
import { migrations } from '../../../../server/store/sql/migrations.ts'
import { nodeSqliteDialect } from '../../../../server/store/sqlite/dialect.ts'
import type { Identity } from '../../../../server/store/store.ts'
import { newDatabase } from '../../../support/databases.ts'

const settings = { hashOf: (...parts: string[]) => JSON.stringify(parts), hasWebhook: () => true }
const amy: Identity = { tenant: 'default', account: 'acme', userId: 'amy' }
const bo: Identity = { ...amy, userId: 'bo' }
const NOW = 1_700_000_000_000
const LATER = NOW + 60_000

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-upgrade-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Rows of every table as the first version wrote them. The generated ids are 1, 2, 3. */
const rows = [
  sql`insert into users (tenant, account, user_id, version, reason) values
    ('default', 'acme', 'amy', 1, null), ('default', 'acme', 'bo', 3, 'chat')`,
  sql`insert into bindings ("user", tenant, app_id, openid, unionid, unionid_due, subscribed, bound_at, event_time, label, lang, version)
    values (1, 'default', 'wx1', 'o1', null, ${NOW}, 1, ${NOW}, 1700000000, '标签', 'zh-CN', 1)`,
  sql`insert into tickets ("user", app_id, scene, code, wechat_ticket, url, lang, created_at, expires_at, state, used_by,
      confirm, openid, event_time, held_until, digits, tries_left, reason) values
    (1, 'wx1', 'wb1_used', 'USED', 't1', 'u1', 'en', ${NOW}, ${LATER}, 'used', 'd0', null, null, null, null, null, null, null),
    (2, 'wx1', 'wb1_held', 'HELD', 't2', 'u2', 'en', ${NOW}, ${LATER}, 'held', null, 'code', 'o2', 1700000001, ${LATER}, '4821', 2, 'scan'),
    (2, 'wx1', 'wb1_open', 'OPEN', 't3', 'u3', 'en', ${NOW}, ${LATER}, 'pending', null, null, null, null, null, null, null, null)`,
  sql`insert into events ("user", version, type, reason, at) values (1, 1, 'bound', 'scan', ${NOW})`,
  sql`insert into outbox (event, "user", tenant, state, next_at, attempts) values (1, 1, 'default', 'waiting', ${NOW}, 2)`,
  sql`insert into leases (name, holder, until) values ('webhook', 'first', ${LATER})`,
  sql`insert into memories (key, text, until) values ('d1', '已绑定', ${LATER}), ('d2', null, ${LATER})`,
  sql`insert into erased (openid_hash, event_time, until) values ('["wx1","o9"]', 1700000002, ${LATER})`,
  sql`insert into jtis (jti, until) values ('["k1|j1"]', ${LATER})`,
  sql`insert into wrong_codes (openid_hash, at) values ('["o8"]', ${NOW})`,
]

async function createFirstVersion(dialect: Dialect, engine: Engine): Promise<void> {
  const db: AnyDb = new Kysely({ dialect })
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations(engine) } })
  const { error } = await migrator.migrateTo('0001-first')
  expect(error).toBeUndefined()
  const tables = (await db.introspection.getTables()).map(({ name }) => name)
  for (const row of rows) await row.execute(db)
  for (const table of tables) {
    expect((await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)).rows, table).toHaveLength(1)
  }
  await db.destroy()
}

const makers: Record<Engine, () => Promise<string>> = {
  async sqlite() {
    const file = join(folder, 'first.db')
    await createFirstVersion(nodeSqliteDialect(new DatabaseSync(file)), 'sqlite')
    return `sqlite:${file}`
  },
  async postgres() {
    const url = await newDatabase()
    await createFirstVersion(new PostgresDialect({ pool: createMaintenancePool(url) }), 'postgres')
    return url
  },
}

describe.each(['sqlite', 'postgres'] as const)('a %s store of version 0001', (engine) => {
  test('is migrated without losing a row of any table', async () => {
    const store = await openStore(await makers[engine](), settings)
    expect(await store.user(amy)).toEqual({
      id: 1,
      identity: amy,
      version: 1,
      reason: null,
      binding: {
        appId: 'wx1',
        openid: 'o1',
        unionid: null,
        subscribed: true,
        boundAt: NOW,
        eventTime: 1_700_000_000,
        label: '标签',
        lang: 'zh-CN',
      },
      confirmation: null,
      refusedScan: null,
    })
    const confirmation = {
      confirm: 'code',
      openid: 'o2',
      eventTime: 1_700_000_001,
      until: LATER,
      digits: '4821',
      triesLeft: 2,
      reason: 'scan',
    }
    const unbound = { id: 2, identity: bo, version: 3, reason: 'chat', binding: null, refusedScan: null }
    expect(await store.user(bo)).toEqual({ ...unbound, confirmation })
    expect(await store.liveTicket(bo, NOW)).toMatchObject({ id: 3, scene: 'wb1_open', state: { name: 'pending' } })

    const facts = await store.write(function* (tx) {
      return {
        used: (yield* tx.ticketByScene('wb1_used'))?.ticket.state,
        scanned: (yield* tx.ticketByScene('wb1_held'))?.ticket.state,
        scannedBy: (yield* tx.scannedBy('wx1', 'o2')).map(({ id }) => id),
        replies: [yield* tx.findDelivery('d1'), yield* tx.findDelivery('d2'), yield* tx.findDelivery('d3')],
        unfollowedAt: yield* tx.unfollowedAt('wx1', 'o9'),
        wrongCodes: yield* tx.wrongCodesSince('o8', NOW - 1),
        isNewJti: yield* tx.consumeJti('k1|j1', LATER),
      }
    })
    expect(facts).toEqual({
      used: { name: 'used', delivery: 'd0' },
      scanned: { name: 'scanned', confirmation },
      scannedBy: [2],
      replies: ['已绑定', null, undefined],
      unfollowedAt: 1_700_000_002,
      wrongCodes: 1,
      isNewJti: false,
    })

    // The server moves the rows of the outbox to the queues of the receivers, with all attempts.
    expect(await store.outbox.list('waiting', 10)).toMatchObject([{ receiver: null, attempts: 2 }])
    expect(await store.outbox.dispatch(LATER, () => ['WEBHOOK_URL'], 10)).toMatchObject({ receivers: ['WEBHOOK_URL'] })
    expect(await store.outbox.claim(LATER, LATER + 1, [{ receiver: 'WEBHOOK_URL', room: 8 }])).toMatchObject([
      { uid: 'evt_1', identity: amy, type: 'bound', reason: 'scan', version: 1, at: NOW, openid: 'o1', attempts: 0 },
    ])
    expect(await store.outbox.lease('second', NOW, LATER)).toBe(false)
    expect(await store.outbox.lease('first', NOW, LATER)).toBe(true)
    expect(await store.unionids.claimDue(NOW, LATER, 10)).toMatchObject([{ user: 1, openid: 'o1' }])

    const [listed] = await store.listBindings({ tenant: 'default', account: 'acme' }, undefined, 9)
    expect(listed).toMatchObject({ identity: amy, binding: { openid: 'o1' } })
    const feed = await store.events({ tenant: 'default', after: undefined, limit: 9 })
    expect(feed).toMatchObject({ events: [{ identity: amy, uid: 'evt_1', type: 'bound', openid: 'o1' }] })

    // The migrated tables also accept writes.
    await store.write(function* (tx) {
      yield* tx.recordDelivery('d3', null, LATER)
      yield* tx.apply({ type: 'recordUnfollow', appId: 'wx1', openid: 'o9', eventTime: 1_700_000_003, until: LATER })
      yield* tx.apply({ type: 'close', ticket: 2, user: 2, as: 'used', bumpsVersion: true })
    })
    expect(await store.write((tx) => tx.unfollowedAt('wx1', 'o9'))).toBe(1_700_000_003)
    expect(await store.user(bo)).toEqual({ ...unbound, version: 4, confirmation: null })
    await store.sweep(LATER)
    expect(await store.write((tx) => tx.findDelivery('d1'))).toBeUndefined()
    await store.close()
  })
})
