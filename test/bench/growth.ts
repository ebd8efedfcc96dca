/**
 * The time of a callback, a poll and a GetBindInfo as the store grows, and how long a sweep blocks the event loop: `npm run
 * bench growth`.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount } from '../../demo/simulator/account.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import type { Store } from '../../server/store/store.ts'
import { startPostgres } from '../support/postgres.ts'
import { newTicket } from '../support/rows.ts'
import { fillPostgres, fillSqlite } from './support/big.ts'
import { toChart } from './support/chart.ts'
import { startLoad } from './support/load.ts'
import { measure } from './support/measure.ts'
import { type Line, report } from './support/report.ts'
import type { Recipe } from './support/requests.ts'
import { sceneOf } from './support/requests.ts'
import { type Served, serveOurs, toEnv } from './support/served.ts'
import { median } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const SIZES = [1_000, 100_000, 3_000_000]
const ROUNDS = 6
// The first thousands of requests are slower, because V8 has not optimized yet and the pages of the file are not cached. The
// effect grows with the file.
const WARM_UPS = 3
// Requests of each kind in each round, `CONNECTIONS` at a time.
const REQUESTS = 1_500
const CONNECTIONS = 64

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }
const account = createAccount({}, randomBytes)

const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-growth-'))
const wechat = await startWechatApi()
const load = await startLoad()
const kinds = ['callback', 'poll', 'GetBindInfo'] as const
type Kind = (typeof kinds)[number]
type Subject = { size: number; served: Served; times: Record<Kind, number[]> }

const lines: Line[] = []
const charts: Record<string, string> = {}

await measureGrowth('SQLite', newSqlite)
const biggest = await openSqliteStore({ file: fileOf(SIZES.at(-1)!), ...settings })
const swept = await measureSweep(biggest)
await biggest.close()
// Starts after the SQLite part, because data that the system still writes for one engine would delay the syncs of the other.
const postgres = await startPostgres()
await measureGrowth('PostgreSQL', newPostgres)
report('growth', [...lines, swept], charts)

await load.end()
wechat.end()
await postgres.remove()
rmSync(folder, { recursive: true })
process.exit()

function fileOf(size: number): string {
  return join(folder, `${size}.db`)
}

async function newSqlite(size: number): Promise<string> {
  const file = fileOf(size)
  await (await openSqliteStore({ file, ...settings })).close()
  fillSqlite(file, size)
  await addTickets(await openSqliteStore({ file, ...settings }))
  return `sqlite:${file}`
}

async function newPostgres(size: number): Promise<string> {
  const url = await postgres.newDatabase()
  await (await openPostgresStore({ url, ...settings })).close()
  await fillPostgres(url, size)
  await addTickets(await openPostgresStore({ url, ...settings }))
  return url
}

/**
 * Starts a server per size and measures them in alternating order, so that a slow moment of the machine affects all of them.
 */
async function measureGrowth(engine: string, newStore: (size: number) => Promise<string>): Promise<void> {
  const subjects: Subject[] = []
  for (const size of SIZES) {
    const env = { ...toEnv(account, await newStore(size)), WECHAT_API_BASE: wechat.url }
    subjects.push({ size, served: await serveOurs(env), times: { callback: [], poll: [], GetBindInfo: [] } })
  }
  // Waits until the filled databases are on the disk.
  spawnSync('sync')
  for (let round = 0; round < WARM_UPS + ROUNDS; round++) {
    for (const kind of kinds) for (const subject of subjects) await ask(subject, kind, round)
    subjects.reverse()
  }
  subjects.sort((a, b) => a.size - b.size)
  for (const { served } of subjects) await served.end()
  addResults(engine, subjects)
}

/** Adds a ticket for each scan, for new users. */
async function addTickets(store: Store): Promise<void> {
  for (let i = 0; i < (WARM_UPS + ROUNDS) * REQUESTS; i += 100) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 100; j++) {
        const ticket = newTicket('', { appId: account.appId, scene: sceneOf(j), code: String(j).padStart(8, '0') })
        yield* tx.addTicket({ tenant: 'default', account: 'acme', userId: `new${j}` }, ticket, false)
      }
    })
  }
  await store.close()
}

/** Measures the time per request in us, with `CONNECTIONS` requests at a time. */
async function ask({ served, size, times }: Subject, kind: Kind, round: number): Promise<void> {
  const anyUser = { from: 0, count: REQUESTS, users: size, prefix: 'old', isRandom: true }
  const recipe: Recipe =
    kind === 'callback'
      ? { what: 'scan', account, from: round * REQUESTS, count: REQUESTS }
      : { what: kind, ...anyUser }
  await load.make(recipe)
  const job = { from: 0, count: REQUESTS, connections: CONNECTIONS, ms: 60_000, expects: { status: 200 } }
  const { rate } = await measure(load, served, job)
  if (round >= WARM_UPS) times[kind].push(1_000_000 / rate)
}

function addResults(engine: string, subjects: Subject[]): void {
  for (const kind of kinds) {
    const each = subjects.map(({ times }) => median(times[kind]))
    // The ratio of each round is used, because only measurements that were made at the same time are comparable.
    const growth = median(subjects.at(-1)!.times[kind].map((time, i) => time / subjects[0]!.times[kind][i]!))
    lines.push({
      what: `${engine}: one ${kind} with ${SIZES.map((size) => size.toLocaleString('en')).join(' / ')} bindings`,
      value: `${each.map((time) => time.toFixed(0)).join(' / ')} us, ${growth.toFixed(2)}x`,
      number: growth,
      goal: { text: '1.30x', atMost: 1.3 },
    })
  }
  charts[`growth-${engine.toLowerCase()}.svg`] = toChart(
    `${engine}: one request, ${CONNECTIONS} at a time`,
    'us',
    SIZES,
    kinds.map((kind) => ({ name: kind, values: subjects.map(({ times }) => median(times[kind])) })),
  )
}

/** The longest time for which a sweep of 139,800 rows blocks the event loop. */
async function measureSweep(store: Store): Promise<Line> {
  const EXPIRED = 60_000
  const long = { createdAt: 1, expiresAt: 2 }
  for (let i = 0; i < EXPIRED; i += 1_000) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 1_000; j++) {
        yield* tx.recordDelivery(`1|${j}`, '已绑定', 1)
        yield* tx.consumeJti(`old|${j}`, 1)
        if (j % 3 === 0)
          yield* tx.addTicket(
            { tenant: 'default', account: 'acme', userId: 'sweep' },
            newTicket(`sweep${j}`, long),
            false,
          )
      }
    })
  }
  const gaps: number[] = []
  let isOver = false
  let lastAt = performance.now()
  const tick = () => {
    gaps.push(performance.now() - lastAt)
    lastAt = performance.now()
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  const startedAt = performance.now()
  await store.sweep(Date.now())
  isOver = true
  const longest = gaps.sort((a, b) => b - a)[Math.floor(gaps.length / 1000)] ?? 0
  const rows = Math.round(EXPIRED * 2.33).toLocaleString('en')
  return {
    what: `SQLite: sweep of ${rows} rows, longest pause of the event loop (99.9 % / all)`,
    value: `${longest.toFixed(1)} / ${(gaps[0] ?? 0).toFixed(1)} ms, in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    number: gaps[0] ?? 0,
    goal: { text: '20 ms', atMost: 20 },
  }
}
