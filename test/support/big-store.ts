/** Fills a large PostgreSQL store, and lists the statements that the store sends and their query plans. */
import { Kysely, PostgresDialect, sql } from 'kysely'
import type { ConsoleStore } from '../../server/store/console-store.ts'
import { type Plan, runPlanAsync } from '../../server/store/plan.ts'
import { createLocks } from '../../server/store/postgres/locks.ts'
import { createMaintenancePool } from '../../server/store/postgres/pool.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { runOn } from '../../server/store/sql/compiled-query.ts'
import { createConsoleStore } from '../../server/store/sql/console.ts'
import { purgeErased } from '../../server/store/sql/erasure.ts'
import { createEventFeed } from '../../server/store/sql/feed.ts'
import { createOutbox } from '../../server/store/sql/outbox.ts'
import { createQueries, type Queries } from '../../server/store/sql/queries.ts'
import { createReads } from '../../server/store/sql/reads.ts'
import { createSweep } from '../../server/store/sql/sweep.ts'
import type { Tables } from '../../server/store/sql/tables.ts'
import { createUnionidQueue } from '../../server/store/sql/unionid-queue.ts'
import { SqlTx } from '../../server/store/sql/unit-of-work.ts'
import type { Identity, UnitOfWork } from '../../server/store/store.ts'
import { newBinding, newTicket } from './rows.ts'

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => true }

const DAY_MS = 86_400_000

/**
 * Inserts rows for `users` users of ten tenants. Each user gets a binding, a ticket and three events. The tickets were
 * created within one day, and those of the last ten minutes are pending. The outbox contains many failed notices, as
 * after a long failure of the receiver.
 */
const inserts = (users: number, now: number) => [
  sql`insert into users (tenant, account, user_id, version) select 'tenant' || i % 10, 'acme', 'user' || i, 3 from generate_series(1, ${users}::int) i`,
  sql`insert into bindings ("user", tenant, account, app_id, openid, subscribed, bound_at, event_time, label, lang, version)
    select i, 'tenant' || i % 10, 'acme', 'wx0123456789abcdef', 'o' || left(md5(i::text), 27), 1, ${now}::bigint - i, 1700000000 + i % 1000, 'user***@example.com', 'zh-CN', 3 from generate_series(1, ${users}::int) i`,
  sql`insert into tickets ("user", app_id, scene, code, wechat_ticket, url, label, lang, created_at, expires_at, state)
    select i, 'wx0123456789abcdef', 'wb1_' || left(md5(i::text), 22), upper(left(md5('c' || i), 8)) || i, 'g' || repeat(md5(i::text), 3), 'http://weixin.qq.com/q/02' || left(md5(i::text), 20),
      'user***@example.com', 'zh-CN', at, at + 120000, case when at > ${now - 600_000}::bigint then 'pending' else 'used' end
    from (select i, ${now}::bigint - i * ${DAY_MS}::bigint / ${users}::int as at from generate_series(1, ${users}::int) i) as made`,
  sql`insert into authorizations ("user", app_id, state, state_hash, return_url, created_at, until, proof_hash, openid)
    select i, 'wx0123456789abcdef', case when i % 2 = 0 then 'proven' else 'closed' end, md5('s' || i), 'https://www.example.com/', ${now}::bigint, ${now}::bigint + i,
      case when i % 2 = 0 then md5('p' || i) end, case when i % 2 = 0 then 'o' || left(md5(i::text), 27) end from generate_series(1, ${users}::int / 2) i`,
  sql`insert into events ("user", tenant, version, type, reason, at, position) select i % ${users}::int + 1, 'tenant' || (i + 1) % 10, i / ${users}::int + 1, 'bound', 'scan',
      ${now - 80 * DAY_MS}::bigint + i, case when i < ${users}::int then i end
    from generate_series(0, ${users}::int * 3 - 1) i`,
  sql`insert into outbox (event, "user", tenant, state, next_at) select i * 10, 1 + i % 5000, 'tenant' || i % 10, case when i % 50 = 0 then 'waiting' else 'failed' end, ${now}::bigint - i * 1000
    from generate_series(1, ${users}::int / 10) i`,
  sql`insert into notices (event, "user", receiver, state, next_at) select i * 10 + 1, 1 + i % 5000, case when i % 2 = 0 then 'one' else 'two' end, case when i % 50 < 2 then 'waiting' else 'failed' end, ${now}::bigint - i * 1000
    from generate_series(1, ${users}::int / 10) i`,
  sql`insert into deliveries (key, text, until) select md5(i::text), repeat('回复', 20), ${now}::bigint + i * 10 from generate_series(1, ${users}::int / 2) i`,
  sql`insert into jtis (jti, until) select md5(i::text), ${now}::bigint + i * 10 from generate_series(1, ${users}::int / 2) i`,
  sql`insert into unfollow_tombstones (openid_hash, event_time, until) select md5(i::text), 1, ${now}::bigint + i from generate_series(1, ${users}::int / 10) i`,
  sql`insert into rate_windows (scope, until, count) select 'qr/hour/user/' || i, ${now}::bigint + i * 10, 1 from generate_series(1, ${users}::int / 2) i`,
  sql`insert into console_actions (at, operator, action, "user", version) select ${now}::bigint - i, 'alice', 'reveal', i % 5000, 1 from generate_series(1, ${users}::int / 10) i`,
  sql`insert into figures (hour, tenant, shown) select ${now}::bigint / 3600000 * 3600000 - i / 50 * 3600000::bigint, 'tenant' || i % 50, 1 from generate_series(0, ${users}::int / 4) i`,
  sql`insert into wechat_errors (hour, errcode, count, last_at) select ${now}::bigint / 3600000 * 3600000 - i * 3600000::bigint, 40001, 1, ${now}::bigint - i * 3600000::bigint from generate_series(0, ${users}::int / 10) i`,
  sql`insert into wrong_codes (openid_hash, at) select md5(i::text), ${now}::bigint - i from generate_series(1, ${users}::int / 10) i`,
]

export async function fillStore(url: string, users: number): Promise<void> {
  await (await openPostgresStore({ url, ...settings })).close()
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createMaintenancePool(url) }) })
  for (const insert of inserts(users, Date.now())) await insert.execute(db)
  await sql`vacuum analyze`.execute(db)
  await db.destroy()
}

/**
 * Returns the text of every statement that the store sends. Calls every operation of the store in a transaction, and
 * rolls the transaction back.
 */
export async function allStatements(url: string): Promise<string[]> {
  const texts = new Set<string>()
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: createMaintenancePool(url) }),
    log: ({ query }) => void texts.add(query.sql),
  })
  const rollback = new Error('rolls back the transaction')
  await db
    .transaction()
    .execute(async (trx) => {
      await callEveryOperation(trx)
      throw rollback
    })
    .catch((error) => {
      if (error !== rollback) throw error
    })
  await db.destroy()
  return [...texts].filter((text) => !/^(begin|commit|rollback)$/.test(text))
}

function* callEveryMethodOfTx(queries: Queries, identity: Identity, now: number): Plan<void> {
  const locks = yield* createLocks({ openids: new Set(), users: new Set() })
  const tx = new SqlTx(queries, settings, new Map(), locks)
  const ticket = yield* tx.addTicket(identity, newTicket('new'), true)
  const { id: user } = yield* tx.userOf(identity)
  const { openid, appId } = { openid: 'o1', appId: 'wx1' }
  yield* tx.ticketByScene(ticket.scene)
  yield* tx.ticketByCode(appId, ticket.code)
  yield* tx.apply({
    type: 'scan',
    ticket: ticket.id,
    user,
    confirmation: { confirm: 'code', openid, eventTime: 1, until: now, digits: '1', triesLeft: 3, reason: 'scan' },
  })
  yield* tx.scannedBy(appId, openid)
  yield* tx.scannedOf(user)
  yield* tx.unconfirmedUntil(now - 1, 100)
  yield* tx.apply({ type: 'wrongDigits', ticket: ticket.id, triesLeft: 2 })
  yield* tx.apply({ type: 'close', ticket: ticket.id, user, as: 'used', bumpsVersion: true })
  yield* tx.apply({ type: 'closeTickets', user, ticket: ticket.id, bumpsVersion: true })
  yield* tx.ensureUser(identity)
  yield* tx.ticketById(ticket.id)
  yield* tx.apply({ type: 'bind', user, binding: newBinding(openid), reason: 'scan', at: now })
  yield* tx.addAuthorization({ user, appId, returnUrl: 'https://www.example.com/', createdAt: now, until: now }, 's1')
  const made = yield* tx.authorizationByState(appId, 's1')
  const { id: authorization } = (yield* tx.authorizationById(made!.id))!
  yield* tx.apply({ type: 'exchange', authorization })
  yield* tx.apply({ type: 'prove', authorization, proof: 'p1', openid, until: now })
  yield* tx.authorizationByProof(appId, 'p1')
  yield* tx.authorizationsBy(appId, openid)
  yield* tx.apply({ type: 'closeAuthorization', authorization })
  yield* tx.ownersOf('wx1', openid)
  yield* tx.ownersOfAll([{ appId, openid }])
  yield* tx.usersOf([identity])
  const added = { tenant: 'tenant1', account: 'acme', userId: 'added' }
  yield* tx.bindAll([{ identity: added, binding: newBinding('o-added') }], 'import', now)
  yield* tx.apply({ type: 'setSubscribed', user, subscribed: false, eventTime: 1, at: now })
  yield* tx.apply({ type: 'setFollowing', user, openid, version: 1, due: 1, at: now })
  yield* tx.apply({ type: 'setUnionid', user, openid, unionid: 'u1', at: now })
  yield* tx.apply({ type: 'moveOpenid', user, from: { appId, openid }, to: { appId: 'wx2', openid: 'o2' }, at: now })
  yield* tx.apply({ type: 'unbind', user, reason: 'chat', at: now })
  yield* tx.apply({ type: 'recordAction', user, operator: 'alice', action: 'unbind', at: now })
  yield* tx.apply({ type: 'erase', user, at: now })
  yield* tx.purgeErased(now, 1)
  yield* tx.apply({ type: 'recordUnfollow', appId, openid, eventTime: 1, until: now })
  yield* tx.apply({ type: 'wrongCode', openid, at: now })
  yield* tx.wrongCodesSince(openid, now - 3_600_000)
  yield* tx.unfollowedAt(appId, openid)
  yield* tx.firstPendingAfter(user, 0, now)
  yield* tx.isAnyPending(appId, now - 600_000)
  yield* tx.findDelivery('k')
  yield* tx.recordDelivery('k', null, now)
  yield* tx.consumeJti('j', now)
  yield* tx.rateWindow('qr/hour/user/1', now)
  yield* tx.countAttempt('qr/hour/user/1', 1, now + 1, now)
  // Requests locks in another order than the rules require. The store then also sends the statements that take a lock
  // only if it is free.
  yield* tx.userById(user + 1)
  yield* tx.wrongCodesSince('a', 0)
}

async function callEveryOperation(db: Kysely<Tables>): Promise<void> {
  const identity: Identity = { tenant: 'tenant1', account: 'acme', userId: 'user1' }
  const now = Date.now()
  const run = runOn(db)
  const queries = createQueries(db, 'postgres')
  await runPlanAsync(callEveryMethodOfTx(queries, identity, now), run)

  const unchanged = <T>(result: Promise<T>) => result
  const read = <T>(plan: Plan<T>) => runPlanAsync(plan, run)
  const reads = createReads(db, queries, read, read, unchanged, settings)
  const apply = <T>(work: UnitOfWork<T>) => runPlanAsync(work(new SqlTx(queries, settings, new Map())), run)
  const unionids = createUnionidQueue(db, (plan) => runPlanAsync(plan(), run), apply, unchanged, 'postgres')
  const sweep = createSweep(db, unchanged, 'postgres')
  await reads.user(identity)
  await reads.liveTicket(identity, now)
  await unionids.claimDue(now, now + 60_000, 20)
  await unionids.save([{ user: 1, openid: 'o1', unionid: 'u' }], now)
  await reads.users([identity])
  await reads.userRecord(identity)
  const after = { tenant: 'tenant1', boundAt: now, user: 1 }
  const filters = [{}, { account: 'acme' }, { openid: 'o1' }, { unionid: 'u1' }, { boundSince: 1, boundUntil: now }]
  for (const filter of filters) {
    await reads.listBindings({ tenant: 'tenant1', ...filter }, undefined, 100)
    await reads.listBindings({ tenant: 'tenant1', ...filter }, after, 500)
  }
  await reads.listBindings({}, after, 1000)
  const inTransaction = <T>(plan: () => Plan<T>) => runPlanAsync(plan(), run)
  const events = createEventFeed(db, inTransaction, inTransaction)
  await events({ tenant: 'tenant1', after: undefined, limit: 100 })
  await events({ tenant: 'tenant1', after: { position: 9, uid: null }, limit: 500 })
  await events({ tenant: 'tenant1', user: identity, after: { position: 1, uid: 'x' }, limit: 500 })
  // Publishes the events of the user.
  await events({ tenant: 'tenant1', user: identity, after: undefined, limit: 500 })
  await purgeErased(apply, now)
  await sweep(now)

  const write = <T>(work: () => Plan<T>) => runPlanAsync(work(), run)
  const outbox = createOutbox({ db, engine: 'postgres', asStoreError: unchanged, write })
  await outbox.lease('a', now, now + 1)
  await outbox.dispatch(now, () => ['one', 'two'], 4)
  await outbox.claim(
    now,
    now,
    ['one', 'two'].map((receiver) => ({ receiver, room: 8 })),
  )
  await outbox.unclaim(1, now)
  await outbox.retryAt(1, now, { status: 500, error: null })
  await outbox.giveUp(1, { status: 500, error: null })
  await outbox.list('failed', 100)
  await outbox.oldestAt(['one', 'two'])
  await outbox.delivered([1])
  await outbox.replay(now, { id: 1 })
  await outbox.retry(now, { receiver: 'one' })
  await outbox.receiverFailed({
    name: 'one',
    now,
    failure: { status: 410, error: null },
    isGone: true,
    pausedUntil: null,
  })
  await outbox.receiverAccepted('one', now)
  await outbox.enable('one', now)
  await outbox.release('a')

  const console = createConsoleStore({ db, engine: 'postgres', read: write, write, asStoreError: unchanged })
  await callConsole(console, now)
}

async function callConsole(console: ConsoleStore, now: number): Promise<void> {
  await console.addSession({ hash: 'h', name: 'alice', tokenHash: 't', until: now + 1 })
  await console.session('h', now)
  await console.endSession('h')
  await console.refundAttempt('console/sign_in')
  await console.attemptsUntil('console/sign_in', now)
  await console.record({ at: now, operator: 'alice', action: 'replay', subject: null })
  await console.saveReport('doctor', { at: now, operator: 'alice', text: '[]' })
  await console.report('doctor')
  const hour = now - (now % 3_600_000)
  const figures = { hour, tenant: 'tenant1', shown: 1, scanned: 1, confirmed: 1, bound: 1, unbound: 1 }
  const instance = { name: 'i', at: now, waiting: 1, waitingLimit: 9, callbackAt: now, tokenAt: now, tokenUntil: now }
  await console.addFigures({
    figures: [{ ...figures, took: Array(14).fill(1) }],
    errors: [{ hour, errcode: 40001, count: 1, lastAt: now }],
    instance,
  })
  for (const tenant of ['tenant1', undefined]) {
    await console.hourly(hour, hour + 1, tenant)
    await console.total(hour, hour + 1, tenant)
    for (const text of ['', 'user1', 'acme user1']) {
      for (const { place } of await console.searchUsers({ text, tenant }, undefined, 2)) {
        await console.searchUsers({ text, tenant }, place, 50)
      }
    }
  }
  await console.byTenant(hour, hour + 1, 100)
  await console.wechatErrors(hour)
  await console.instances()
  const { next } = await console.liveEvents(undefined, 50)
  await console.liveEvents({ newest: next.newest - 1, gaps: [1] }, 50)
}

/** The way in which a query plan reads one table. */
type Scan = { kind: string; table: string; index: string | undefined }

type Node = { 'Node Type': string; 'Relation Name'?: string; 'Index Name'?: string; Plans?: Node[] }

/**
 * Returns the scans in PostgreSQL's generic plan of a statement. A generic plan does not depend on the parameter values
 * of the prepared statement.
 */
export async function planOf(query: (text: string) => Promise<object[]>, text: string): Promise<Scan[]> {
  const [row] = (await query(`explain (generic_plan, format json) ${text}`)) as { 'QUERY PLAN': { Plan: Node }[] }[]
  return nodesOf(row!['QUERY PLAN'][0]!.Plan)
    .filter((node) => / Scan$/.test(node['Node Type']))
    .map((node) => ({ kind: node['Node Type'], table: node['Relation Name'] ?? '', index: node['Index Name'] }))
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]
