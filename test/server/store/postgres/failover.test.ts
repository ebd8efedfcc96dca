/** What a store does when its connections lead to a server that is no longer, or not yet, the primary. */
import { afterEach, expect, test } from 'vitest'
import { createListener } from '../../../../server/store/postgres/notifications.ts'
import { openPostgresStore } from '../../../../server/store/postgres/postgres-store.ts'
import type { Store } from '../../../../server/store/store.ts'
import { newMigratedDatabase } from '../../../support/databases.ts'
import { query, withDatabase } from '../../../support/postgres.ts'
import { addUser, bindTo } from '../../../support/rows.ts'
import { openTcpProxy } from '../../../support/tcp-proxy.ts'

const amy = { tenant: 'default', account: 'acme', userId: 'amy' }

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

async function open(url: string): Promise<Store> {
  const store = await openPostgresStore({ url, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  ending.push(() => store.close())
  return store
}

async function openBehindProxy() {
  const url = new URL(await newMigratedDatabase())
  const proxy = await openTcpProxy(Number(url.port))
  ending.push(proxy.close)
  const direct = url.href
  url.port = String(proxy.port)
  return { proxy, direct, store: await open(url.href) }
}

const nameOf = (url: string) => new URL(url).pathname.slice(1)

/** Waits until a row exists. */
const untilRow = async (url: string, text: string) => {
  while ((await query(url, text)).length === 0);
}

test('drops all connections of the pool when one of them gets no answers', async () => {
  const { proxy, store } = await openBehindProxy()
  const user = await addUser(store, amy)
  // Four connections are open now.
  await Promise.all(Array.from({ length: 4 }, () => store.user(amy)))
  proxy.stall()
  await expect(bindTo(store, user, 'o1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  // A read on one of the other connections would fail after 2.5 s.
  for (let i = 0; i < 4; i++) expect(await store.user(amy)).toMatchObject({ id: user })
})

test('repeats a write whose connection is closed before the commit', async () => {
  const { direct, store } = await openBehindProxy()
  const user = await addUser(store, amy)
  await Promise.all(Array.from({ length: 4 }, () => store.user(amy)))
  await query(
    withDatabase(direct, 'postgres'),
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${nameOf(direct)}' and query not like 'listen %'`,
  )
  await bindTo(store, user, 'o1')
  expect((await store.user(amy)).binding?.openid).toBe('o1')
})

/** A listener whose own notifications are sent at another server, like those of a commit after a failover. */
async function listenElsewhere(everyMs: number) {
  const gap = Promise.withResolvers<void>()
  const listener = await createListener({
    url: await newMigratedDatabase(),
    channel: 'c',
    onMessage: () => {},
    onGap: gap.resolve,
    notify: () => Promise.resolve(),
    probe: { everyMs, withinMs: 200 },
  })
  ending.push(listener.close)
  return { listener, gap: gap.promise }
}

test('listens on a new connection when a notification of another connection does not arrive', async () => {
  const { gap } = await listenElsewhere(20)
  await expect(gap).resolves.toBeUndefined()
})

test('tests its listening connection at once when another connection is lost', async () => {
  const { listener, gap } = await listenElsewhere(600_000)
  listener.probe()
  await expect(gap).resolves.toBeUndefined()
})

test('keeps its listening connection while notifications arrive, and while none can be sent', async () => {
  const url = await newMigratedDatabase()
  let gaps = 0
  let probes = 0
  const isDone = Promise.withResolvers<void>()
  const listener = await createListener({
    url,
    channel: 'c',
    onMessage: () => {},
    onGap: () => gaps++,
    async notify(channel) {
      if (++probes === 6) isDone.resolve()
      if (probes > 3) throw new Error('no connection')
      await query(url, 'select pg_notify($1, $2)', [channel, ''])
    },
    probe: { everyMs: 60, withinMs: 1_000 },
  })
  await isDone.promise
  expect([gaps, listener.isListening()]).toEqual([0, true])
  await listener.close()
})

test('does not report a commit as done when the wait for the standby was cancelled', async () => {
  const url = await newMigratedDatabase()
  const store = await open(url)
  const user = await addUser(store, amy)
  await query(url, `alter database ${nameOf(url)} set synchronous_commit = on`)
  await query(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${nameOf(url)}' and pid <> pg_backend_pid()`,
  )
  const written = expect(bindTo(store, user, 'o1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  const waiting = `from pg_stat_activity where wait_event = 'SyncRep' and datname = '${nameOf(url)}'`
  const admin = withDatabase(url, 'postgres')
  await untilRow(admin, `select 1 ${waiting}`)
  await query(admin, `select pg_cancel_backend(pid) ${waiting}`)
  await written
})
