import { afterEach, describe, expect, test } from 'vitest'
import { applyIntent, type EventSettings } from '../../../../server/binding/apply-intent.ts'
import type { Intent } from '../../../../server/binding/intent.ts'
import { countAttempt, type QrLimits } from '../../../../server/binding/limits.ts'
import type { BindError } from '../../../../server/errors.ts'
import { openPostgresStore } from '../../../../server/store/postgres/postgres-store.ts'
import { migrations } from '../../../../server/store/sql/migrations.ts'
import type { CommitNotice, Identity, Store, UnitOfWork } from '../../../../server/store/store.ts'
import { newDatabase, newMigratedDatabase } from '../../../support/databases.ts'
import { IN_DATABASE, newGate, newSubscriber, PAUSE, query } from '../../../support/postgres.ts'
import { addUser, bindTo, newTicket } from '../../../support/rows.ts'
import { openTcpProxy } from '../../../support/tcp-proxy.ts'
import { consoleContract } from '../console-contract.ts'
import { outboxContract } from '../outbox-contract.ts'
import { storeContract } from '../store-contract.ts'

const settings = {
  hashOf: (...parts: string[]) => JSON.stringify(parts),
  hasWebhook: (tenant: string) => tenant !== 'quiet',
}
const amy: Identity = { tenant: 'default', account: 'acme', userId: 'amy' }
const bo: Identity = { ...amy, userId: 'bo' }

const makeStore = async () => openPostgresStore({ url: await newMigratedDatabase(), ...settings })
storeContract(makeStore)
outboxContract(makeStore)
consoleContract(makeStore)

const opened: Store[] = []
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())))

async function open(url: string): Promise<Store> {
  const store = await openPostgresStore({ url, ...settings })
  opened.push(store)
  return store
}

/** Two instances with one new database, whose deadlock detection is off, so that a deadlock would cause a time-out. */
async function openTwo() {
  const url = await newMigratedDatabase()
  await query(url, `alter database ${new URL(url).pathname.slice(1)} set deadlock_timeout = '60s'`)
  return { url, a: await open(url), b: await open(url) }
}

/** Records the commit notices of a store. */
function listenTo(store: Store) {
  const notices: CommitNotice[] = []
  let onNotice = () => {}
  store.onCommit((notice) => {
    notices.push(notice)
    onNotice()
  })
  return {
    notices,
    /** Resolves once the store has sent a matching notice. */
    until: (isMatch: (notice: CommitNotice) => boolean) =>
      new Promise<void>((resolve) => {
        onNotice = () => notices.some(isMatch) && resolve()
        onNotice()
      }),
  }
}

const isVersion = (version: number) => (notice: CommitNotice) => notice !== 'missed' && notice.version === version

describe('openPostgresStore', () => {
  test('opens an empty database from ten instances at once', async () => {
    const url = await newDatabase()
    const stores = await Promise.all(Array.from({ length: 10 }, () => open(url)))
    await Promise.all(stores.map((store) => store.ping()))
    const applied = await query<{ name: string }>(url, 'select name from kysely_migration order by name')
    expect(applied.map(({ name }) => name)).toEqual(Object.keys(migrations('postgres')))
  })

  test('notifies every instance of a commit once', async () => {
    const { a, b } = await openTwo()
    const user = await addUser(a, amy)
    const [atA, atB] = [listenTo(a), listenTo(b)]
    await bindTo(a, user, 'o1')
    expect(atA.notices).toMatchObject([{ identity: amy, version: 1 }])
    await atB.until(isVersion(1))
    // A receives its own notification before the notification of B. If A did not ignore its own notification, the list would
    // contain it.
    await bindTo(b, user, 'o2')
    await atA.until(isVersion(2))
    const both = [1, 2].map((version) => ({ identity: amy, version }))
    expect([atA.notices, atB.notices]).toMatchObject([both, both])
  })

  test('sends no notification before the commit, and then only the last version of each user', async () => {
    const url = await newMigratedDatabase()
    const store = await open(url)
    const subscriber = await newSubscriber(url, 'wechat_bind')
    const user = await addUser(store, amy)
    const gate = await newGate(url)
    const written = store.write(function* (tx) {
      for (let i = 0; i < 3; i++) yield* tx.apply({ type: 'unbind', user, reason: 'chat', at: 1 })
      yield PAUSE
    })
    await gate.isReachedBy(1)
    await query(url, "select pg_notify('wechat_bind', 'before the commit')")
    await gate.open()
    await written
    await query(url, "select pg_notify('wechat_bind', 'the end')")
    const payloads = await subscriber.until('the end')
    expect(payloads).toEqual(['before the commit', expect.stringContaining('"amy",3]'), 'the end'])
  })

  test.each(['😀', '"', '\\', "'"])(
    'sends a notification for ids of the greatest length that consist of %s',
    async (character) => {
      const { a, b } = await openTwo()
      const id = character.repeat(128)
      const identity: Identity = { tenant: id, account: id, userId: id }
      const user = await addUser(a, identity, 'x')
      const atB = listenTo(b)
      await bindTo(a, user, 'o1')
      await atB.until(isVersion(1))
      expect(atB.notices).toEqual([{ identity, version: 1 }])
    },
  )

  test('reports a gap once it is listening again, and receives later notifications', async () => {
    const { url, a, b } = await openTwo()
    const user = await addUser(a, amy)
    const atB = listenTo(b)
    await query(
      url,
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' and datname = current_database()",
    )
    await atB.until((notice) => notice === 'missed')
    await b.ping()
    await bindTo(a, user, 'o1')
    await atB.until(isVersion(1))
    expect(atB.notices.at(-1)).toEqual({ identity: amy, version: 1 })
  })

  test('keeps every write that it has answered when all connections are closed', async () => {
    const { url, a } = await openTwo()
    const users = await Promise.all(Array.from({ length: 40 }, (_, i) => addUser(a, { ...amy, userId: `u${i}` })))
    const units = users.map((user) => bindTo(a, user, `o${user}`))
    const kill = query(
      url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'wechat-bind' and datname = current_database()",
    )
    const [results] = await Promise.all([Promise.allSettled(units), kill])
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'ok'))
    expect(['ok', 'STORE_UNAVAILABLE']).toEqual(expect.arrayContaining([...new Set(codes)]))
    const kept = await query<{ user: string }>(url, 'select "user" from bindings')
    const lost = users.filter((user, i) => codes[i] === 'ok' && !kept.some((row) => Number(row.user) === user))
    expect(lost).toEqual([])
  })

  test('reads the whole record of a user as of one moment, even if another client commits between two statements', async () => {
    const { url, a } = await openTwo()
    await addUser(a, amy, 't')
    const other = await newSubscriber(url, 'x')
    await other.query('begin; lock table tickets in access exclusive mode')
    const reading = a.userRecord(amy)
    const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
    await expect.poll(() => query(url, waiting), { interval: 10 }).toHaveLength(1)
    await other.query(`update users set version = 9; update tickets set state = 'replaced'; commit`)
    expect(await reading).toMatchObject({ user: { version: 0 }, tickets: [{ state: 'pending' }] })
  })

  test('rejects a write before WeChat’s time limit when another client keeps a lock', async () => {
    const { url, a } = await openTwo()
    const user = await addUser(a, amy)
    const other = await newSubscriber(url, 'x')
    await other.query(`begin; select id from users where id = ${user} for update`)
    const before = performance.now()
    await expect(bindTo(a, user, 'o1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    // WeChat gives up after 5 s.
    expect(performance.now() - before).toBeLessThan(3_500)
    await other.query('rollback')
    await bindTo(a, user, 'o1')
  })

  test('rejects a write before WeChat’s time limit when a connection gets no answers, and closes that connection', async () => {
    const url = new URL(await newMigratedDatabase())
    const proxy = await openTcpProxy(Number(url.port))
    url.port = String(proxy.port)
    const store = await open(url.href)
    const user = await addUser(store, amy)
    proxy.stall()
    const before = performance.now()
    await expect(bindTo(store, user, 'o1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(performance.now() - before).toBeLessThan(3_500)
    await bindTo(store, user, 'o2')
    expect((await store.user(amy)).binding?.openid).toBe('o2')
    proxy.close()
  })

  test('listens on a new connection when the old one gets no answers', async () => {
    const url = new URL(await newMigratedDatabase())
    const a = await open(url.href)
    const proxy = await openTcpProxy(Number(url.port))
    url.port = String(proxy.port)
    const b = await open(url.href)
    const user = await addUser(a, amy)
    const atB = listenTo(b)
    proxy.stall()
    await bindTo(a, user, 'o1')
    await atB.until((notice) => notice === 'missed')
    await bindTo(a, user, 'o2')
    await atB.until(isVersion(2))
    // The notification of the commit during the gap is lost.
    expect(atB.notices.filter(isVersion(1))).toEqual([])
    proxy.close()
  })
})

describe('a unit of work', () => {
  test('runs again instead of waiting for a lock out of order, which avoids a deadlock', async () => {
    const { url, a, b } = await openTwo()
    const [first, second] = [await addUser(a, amy), await addUser(a, bo)]
    const gate = await newGate(url)
    const both = (one: number, other: number): UnitOfWork =>
      function* (tx) {
        yield* tx.userById(one)
        yield PAUSE
        yield* tx.userById(other)
        for (const user of [one, other]) yield* tx.apply({ type: 'unbind', user, reason: 'chat', at: 1 })
      }
    const written = [a.write(both(first, second)), b.write(both(second, first))]
    await gate.isReachedBy(2)
    await gate.open()
    await Promise.all(written)
    expect([(await a.user(amy)).version, (await a.user(bo)).version]).toEqual([2, 2])
  })

  test('repeats a read whose rows have changed while it waited for the lock', async () => {
    const { url, a, b } = await openTwo()
    const ticket = await a.write((tx) => tx.addTicket(amy, newTicket('t'), false))
    const gate = await newGate(url)
    const closing = a.write(function* (tx) {
      yield* tx.ticketByScene('wb1_t')
      yield PAUSE
      yield* tx.apply({ type: 'close', ticket: ticket.id, user: ticket.user, as: 'used', bumpsVersion: false })
    })
    await gate.isReachedBy(1)
    const seen = b.write((tx) => tx.ticketByScene('wb1_t'))
    const waiting = `select 1 from pg_locks where locktype = 'transactionid' and not granted and ${IN_DATABASE}`
    while ((await query(url, waiting)).length === 0);
    await gate.open()
    await closing
    expect((await seen)?.ticket.state.name).toBe('used')
  })
})

describe('countAttempt on two instances', () => {
  const limits = { qrPerMinute: 10, qrPerHour: 60, qrPerDay: 200, tenantQrPerMinute: 100, tenantQrPerDay: 7 }
  const now = Date.now()

  /** Sends attempts to both instances at once. Returns the number of allowed attempts, and the refusals. */
  async function countTogether(stores: Store[], users: Identity[], most: QrLimits) {
    const counted = users.map((user, i) => countAttempt(stores[i % stores.length]!, 'qr', user, most, now))
    const outcomes = await Promise.allSettled(counted)
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as BindError] : []))
    return { allowed: outcomes.length - refusals.length, refusals }
  }

  test('allows a user at most ten QR codes in a minute, even if 20 are requested at once', async () => {
    const { a, b } = await openTwo()
    const most = { ...limits, tenantQrPerDay: 100 }
    const { allowed, refusals } = await countTogether([a, b], Array(20).fill(amy), most)
    expect(allowed).toBe(10)
    expect(new Set(refusals.map(({ code, retryAfterSeconds }) => `${code} ${retryAfterSeconds}`))).toEqual(
      new Set(['RATE_LIMITED 60']),
    )
  })

  test('allows a tenant at most its limit, even if 20 users request QR codes at once', async () => {
    const { a, b } = await openTwo()
    const users = Array.from({ length: 20 }, (_, i) => ({ ...amy, userId: `u${i % 15}` }))
    const { allowed, refusals } = await countTogether([a, b], users, limits)
    expect(allowed).toBe(7)
    expect(new Set(refusals.map(({ code, retryAfterSeconds }) => `${code} ${retryAfterSeconds}`))).toEqual(
      new Set(['RATE_LIMITED 86400']),
    )
  })
})

describe('applyIntent on two instances', () => {
  const rules = { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' } as const
  const events: EventSettings = { appId: 'wx1', rules, texts: { bound: 'bound' }, lang: 'en' }
  const now = Date.now()

  const claim = (openid: string, key: string, via: 'SCAN' | 'text' = 'SCAN'): Intent => ({
    type: 'claim',
    claim: { via, appId: 'wx1', openid, createTime: Math.floor(now / 1000) },
    key,
  })

  /** Repeats a failed delivery, like WeChat. On a busy machine 40 simultaneous deliveries exceed the time limit of a lock. */
  async function apply(store: Store, events: EventSettings, key: string, intent: Intent) {
    for (let triesLeft = 3; ; triesLeft--) {
      try {
        return await applyIntent({ store, events, clock: () => now, afterCommit: () => {} }, { key }, intent)
      } catch (error) {
        if (triesLeft === 0 || (error as BindError).code !== 'STORE_UNAVAILABLE') throw error
      }
    }
  }

  test('gives the same reply to one delivery at both instances', async () => {
    const { url, a, b } = await openTwo()
    await addUser(a, amy, 't')
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => apply(i % 2 ? a : b, events, 'd1', claim('o1', 'wb1_t'))),
    )
    const replies = outcomes.map((outcome) => (outcome === 'replayed' ? outcome : outcome.reply))
    expect(new Set(replies)).toHaveProperty('size', 1)
    expect(replies[0]).toBe('bound')
    expect(await query(url, 'select version from events')).toEqual([{ version: '1' }])
  })

  test('finds a delivery that was committed, with other changes, while the repeated delivery waited for a lock', async () => {
    const { url, a, b } = await openTwo()
    await addUser(a, amy, 't')
    const other = await addUser(a, bo, 'u')
    await bindTo(a, other, 'o1')
    const gate = await newGate(url)
    // The first delivery is refused, because the openid is bound to Bo; the same unit then unbinds Bo.
    const first = a.write(function* (tx) {
      yield* tx.ticketByScene('wb1_t')
      yield PAUSE
      yield* tx.recordDelivery(tx.fingerprint('d1'), 'conflict', now)
      yield* tx.apply({ type: 'unbind', user: other, reason: 'chat', at: now })
    })
    await gate.isReachedBy(1)
    const second = apply(b, events, 'd1', claim('o1', 'wb1_t'))
    const waiting = `select 1 from pg_locks where locktype = 'transactionid' and not granted and ${IN_DATABASE}`
    while ((await query(url, waiting)).length === 0);
    await gate.open()
    await first
    expect(await second).toMatchObject({ reply: 'conflict', changes: [] })
    expect((await a.user(amy)).binding).toBeNull()
  })

  test('counts at most five wrong codes of an openid, even if 40 arrive at once', async () => {
    const { url, a, b } = await openTwo()
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => apply(i % 2 ? a : b, events, `d${i}`, claim('o1', 'WRONG', 'text'))),
    )
    expect(await query(url, 'select id from wrong_codes')).toHaveLength(5)
  })

  test('gives each event a version of its own when bindings move back and forth between two users', async () => {
    const { url, a, b } = await openTwo()
    const replacing: EventSettings = { ...events, rules: { ...rules, conflict: 'replace' } }
    const names = Array.from({ length: 40 }, (_, i) => `t${i}`)
    for (const [i, name] of names.entries()) await addUser(a, i % 2 ? amy : bo, name)
    await Promise.all(
      names.map((name, i) => apply(i % 3 ? a : b, replacing, name, claim(i % 5 ? 'o1' : 'o2', `wb1_${name}`))),
    )
    const bound = await query<{ openid: string }>(url, 'select openid from bindings')
    expect(new Set(bound.map(({ openid }) => openid)).size).toBe(bound.length)
    const kept = await query<{ user: string; version: string; type: string; newest: string }>(
      url,
      `select events.user, events.version, type, users.version as newest
       from events join users on users.id = events.user order by events.user, events.version`,
    )
    const ofUser = Map.groupBy(kept, ({ user }) => user)
    expect(ofUser.size).toBe(2)
    for (const own of ofUser.values()) {
      const versions = own.map(({ version }) => Number(version))
      expect(new Set(versions).size).toBe(versions.length)
      // The notice of a refused scan raises the version without an event.
      expect(versions.at(-1)).toBeLessThanOrEqual(Number(own[0]!.newest))
      expect(own.map(({ type }) => type)).toEqual(own.map((_, i) => (i % 2 ? 'unbound' : 'bound')))
    }
  })

  test('lets only one scan of an openid wait for confirmation, even if 40 scans arrive at once', async () => {
    const { url, a, b } = await openTwo()
    const asking: EventSettings = { ...events, rules: { ...rules, confirm: 'reply' } }
    const names = Array.from({ length: 40 }, (_, i) => `t${i}`)
    for (const [i, name] of names.entries()) await addUser(a, { ...amy, userId: `u${i % 4}` }, name)
    await Promise.all(names.map((name, i) => apply(i % 2 ? a : b, asking, name, claim('o1', `wb1_${name}`))))
    expect(await query(url, "select openid from tickets where state = 'scanned'")).toEqual([{ openid: 'o1' }])
  })
})

describe('the queue of a webhook receiver on two instances', () => {
  const NOW = 1_700_000_000_000
  const rooms = [{ receiver: 'one', room: 8 }]

  test('gives an instance the notices that no other instance is claiming, without waiting for the other one', async () => {
    const { url, a, b } = await openTwo()
    for (const identity of [amy, bo]) {
      const user = await addUser(a, identity)
      await a.write((tx) => tx.apply({ type: 'unbind', user, reason: 'chat', at: NOW }))
    }
    // An instance whose lease has expired may move the same events as the next holder.
    await Promise.all([a, b].map(({ outbox }) => outbox.dispatch(NOW, () => ['one'], 100)))
    const other = await newSubscriber(url, 'none')
    const claiming = `update notices set next_at = ${NOW + 45_000} where id = (select min(id) from notices)`
    await other.query(`begin; ${claiming}`)
    const claimed = await b.outbox.claim(NOW, NOW + 45_000, rooms)
    expect(claimed).toHaveLength(1)
    await other.query('commit')
    expect(await a.outbox.claim(NOW, NOW + 45_000, rooms)).toEqual([])
    expect(await a.outbox.lengths()).toEqual([{ receiver: 'one', waiting: 2, failed: 0 }])
    await other.end()
  })
})
