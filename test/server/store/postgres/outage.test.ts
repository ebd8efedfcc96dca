/** PostgreSQL stops during traffic and starts again. No answered callback is lost, and no instance needs a restart. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSimulator } from '../../../../demo/simulator/simulator.ts'
import { startListening, stopListening } from '../../../../server/http/listen.ts'
import { openPostgresStore } from '../../../../server/store/postgres/postgres-store.ts'
import { deliverScan, type Instance, startInstance, untilWaiting } from '../../../support/instance.ts'
import { type Postgres, query, startPostgres } from '../../../support/postgres.ts'
import { newTicket, seedTickets } from '../../../support/rows.ts'

const USERS = 600
const CONCURRENT_SCANS = 8

const simulator = createSimulator()
const { account } = simulator

let postgres: Postgres
let url: string
let wechat: Awaited<ReturnType<typeof startListening>>
let both: [Instance, Instance]

beforeAll(async () => {
  postgres = await startPostgres()
  url = await postgres.newDatabase()
  wechat = await startListening(simulator.app, '127.0.0.1', 0)
  const env = { DATABASE_URL: url, WECHAT_API_BASE: wechat.url }
  both = await Promise.all([startInstance(account, env), startInstance(account, env)])
  await addTickets()
})

afterAll(async () => {
  await Promise.all((both ?? []).map((instance) => instance.end('SIGTERM')))
  await stopListening(wechat.server)
  simulator.close()
  await postgres.remove()
})

const identityOf = (userId: string) => ({ tenant: 'default', account: 'acme', userId })

async function addTickets(): Promise<void> {
  await seedTickets(url, account.appId, USERS)
  const store = await openPostgresStore({ url, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  await store.write((tx) => tx.addTicket(identityOf('waiting'), newTicket('waiting', { appId: account.appId }), false))
  await store.close()
}

const readiness = async ({ url: server }: Instance) => {
  const response = await fetch(`${server}/readyz`)
  const { checks } = (await response.json()) as { checks: Record<string, string> }
  return { status: response.status, checks }
}

async function untilReady(instance: Instance): Promise<void> {
  while ((await readiness(instance)).status !== 200) await new Promise(setImmediate)
}

/** Polls like the widget: it repeats the long-poll after any answer until the version differs from `version`. */
async function pollUntilChanged(instance: Instance, userId: string, version: number): Promise<unknown> {
  const token = await instance.client.mintToken({ account: 'acme', userId })
  const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': `"${version}"`, Prefer: 'wait=25' }
  for (;;) {
    const response = await fetch(`${instance.url}/widget/binding`, { headers })
    if (response.status === 200) return response.json()
    await response.text()
  }
}

test('no answered callback is lost when PostgreSQL stops during traffic', { timeout: 90_000 }, async () => {
  for (const instance of both) {
    expect(await readiness(instance)).toMatchObject({ status: 200, checks: { store: 'ok', wechat: 'ok' } })
  }
  const waiting = pollUntilChanged(both[0], 'waiting', 0)

  const statuses: number[] = []
  const answered: string[] = []
  let slowest = 0
  let next = 0
  const thirdAnswered = Promise.withResolvers<void>()
  /** Delivers the scans of the users in turn, and repeats each scan until it is answered, like WeChat. */
  async function deliverScans(): Promise<void> {
    for (let i = next++; i < USERS; i = next++) {
      for (let status = 0; status !== 200; ) {
        const before = performance.now()
        const answer = await deliverScan(account, both[i % 2]!, { openid: `o${i}`, scene: `wb1_u${i}` })
        slowest = Math.max(slowest, performance.now() - before)
        status = answer.status
        statuses.push(status)
        if (status === 200) answered.push(`u${i}`)
      }
      if (answered.length === USERS / 3) thirdAnswered.resolve()
    }
  }
  const traffic = Promise.all(Array.from({ length: CONCURRENT_SCANS }, deliverScans))

  await thirdAnswered.promise
  await postgres.stop()
  const statusesBefore = statuses.length
  while (!statuses.slice(statusesBefore).includes(500)) await new Promise(setImmediate)
  for (const instance of both) {
    expect(await readiness(instance)).toMatchObject({ status: 503, checks: { store: 'STORE_UNAVAILABLE' } })
    expect((await fetch(`${instance.url}/healthz`)).status).toBe(200)
  }
  const before = answered.length
  await postgres.start()
  await Promise.all(both.map(untilReady))
  await traffic

  // Every scan was finally answered. Every earlier attempt got the status 500 within WeChat's 5 s.
  expect(answered).toHaveLength(USERS)
  expect(before).toBeLessThan(USERS)
  expect(new Set(statuses)).toEqual(new Set([200, 500]))
  expect(slowest).toBeLessThan(5_000)
  const bound = await query<{ user_id: string; openid: string }>(
    url,
    'select user_id, openid from bindings join users on users.id = bindings.user',
  )
  expect(new Map(bound.map(({ user_id, openid }) => [user_id, openid]))).toEqual(
    new Map(answered.map((userId) => [userId, `o${userId.slice(1)}`])),
  )
  // Each user was bound once, although some scans were delivered several times.
  expect(await query(url, "select count(*)::int as n from events where type = 'bound'")).toEqual([{ n: USERS }])

  // A page that has waited since before the stop is notified of a scan that arrives at the other instance.
  await deliverScan(account, both[1], { openid: 'oWaiting', scene: 'wb1_waiting' })
  expect(await waiting).toMatchObject({ state: 'bound', version: 1 })

  const [{ n = 0 } = {}] = await query<{ n: number }>(
    url,
    "select count(*)::int as n from pg_stat_activity where application_name = 'wechat-bind'",
  )
  // Two pools of ten connections, and two listening connections.
  expect(n).toBeLessThanOrEqual(22)
  expect(both.map(({ child }) => child.exitCode)).toEqual([null, null])
})

test('pages get a change whose notification was lost as soon as the instance listens again', async () => {
  const store = await openPostgresStore({ url, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  await store.write((tx) => tx.addTicket(identityOf('gap'), newTicket('gap', { appId: account.appId }), false))
  await store.close()
  const waiting = pollUntilChanged(both[0], 'gap', 0)
  await untilWaiting(both[0], 1)
  // Changes the version without a notification, like a commit during the gap.
  await query(url, "update users set version = 1 where user_id = 'gap'")
  await query(url, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'")
  expect(await waiting).toMatchObject({ state: 'unbound', version: 1 })
})
