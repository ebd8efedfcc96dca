/** What a callback, a poll and a GetBindInfo take of the store as it grows, and what a sweep holds up: `npm run bench growth`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyDeed, type EventSettings } from '../../server/binding/apply-deed.ts'
import { openPostgresStore } from '../../server/store/postgres.ts'
import { openSqliteStore } from '../../server/store/sqlite.ts'
import type { Store } from '../../server/store/store.ts'
import { startPostgres } from '../support/postgres.ts'
import { newTicket } from '../support/rows.ts'
import { fillPostgres, fillSqlite } from './support/big.ts'
import { toChart } from './support/chart.ts'
import { type Line, report } from './support/report.ts'
import { median } from './support/statistics.ts'

const SIZES = [1_000, 100_000, 3_000_000]
const ROUNDS = 9
// Of each kind in a round, all under way at once.
const AT_ONCE = 64
const BATCHES = 6

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }
const events: EventSettings = {
  appId: 'wx1',
  rules: { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' },
  texts: {},
  lang: 'zh-CN',
}

const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-growth-'))
const postgres = await startPostgres()
const kinds = ['callback', 'poll', 'GetBindInfo'] as const
type Kind = (typeof kinds)[number]
type Subject = { engine: string; size: number; store: Store; times: Record<Kind, number[]> }

const subjects: Subject[] = []
for (const size of SIZES) {
  const file = join(folder, `${size}.db`)
  await (await openSqliteStore({ file, ...settings })).close()
  fillSqlite(file, size)
  const url = await postgres.newDatabase()
  await (await openPostgresStore({ url, ...settings })).close()
  await fillPostgres(url, size)
  for (const [engine, store] of [
    ['SQLite', await openSqliteStore({ file, ...settings })],
    ['PostgreSQL', await openPostgresStore({ url, ...settings })],
  ] as const) {
    subjects.push({ engine, size, store, times: { callback: [], poll: [], GetBindInfo: [] } })
  }
}

let made = 0
for (let i = 0; i <= ROUNDS; i++) {
  // In turn, so that a machine that is slow for a moment is slow for all.
  for (const subject of subjects) await measure(subject, i > 0)
}

/** us of one, of so many at once. */
async function timed(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  for (let batch = 0; batch < count / AT_ONCE; batch++) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => work(batch * AT_ONCE + i)))
  }
  return ((performance.now() - startedAt) * 1000) / count
}

async function measure({ store, size, times }: Subject, counts: boolean): Promise<void> {
  const count = AT_ONCE * BATCHES
  const first = made
  made += count
  const identity = (userId: string) => ({ tenant: 'default', account: 'acme', userId })
  const someone = () => identity(`old${1 + Math.floor(Math.random() * size)}`)
  for (let i = first; i < made; i += AT_ONCE) {
    const each = Array.from({ length: AT_ONCE }, (_, j) => identity(`new${i + j}`))
    await Promise.all(each.map((who, j) => store.write((tx) => tx.addTicket(who, newTicket(String(i + j)), false))))
  }
  const now = Date.now()
  const took = {
    callback: await timed(count, (i) => {
      const openid = `oNew${((first + i) * 2_654_435_761) % 4_294_967_296}`
      const claim = { via: 'SCAN', appId: 'wx1', openid, createTime: 1_700_000_000 } as const
      const delivery = { key: `${Math.floor(now / 1000)}|${openid}` }
      return applyDeed(store, events, delivery, { type: 'claim', claim, key: `wb1_${first + i}` }, now)
    }),
    poll: await timed(count, () => store.user(someone())),
    GetBindInfo: await timed(count, async (i) => {
      await store.write((tx) => tx.spend(`k1|${first + i}`, now + 600_000))
      await store.user(someone())
    }),
  }
  if (counts) for (const kind of kinds) times[kind].push(took[kind])
}

const lines: Line[] = []
const charts: Record<string, string> = {}
for (const engine of ['SQLite', 'PostgreSQL']) {
  const own = subjects.filter((subject) => subject.engine === engine)
  for (const kind of kinds) {
    const each = own.map(({ times }) => median(times[kind]))
    // Each round against the same round of the smallest.
    const growth = median(own.at(-1)!.times[kind].map((time, i) => time / own[0]!.times[kind][i]!))
    lines.push({
      what: `${engine}: one ${kind} with ${SIZES.map((size) => size.toLocaleString('en')).join(' / ')} bindings`,
      value: `${each.map((time) => time.toFixed(0)).join(' / ')} us, ${growth.toFixed(2)}x`,
      number: growth,
      goal: { text: '1.30x', atMost: 1.3 },
    })
  }
  charts[`growth-${engine.toLowerCase()}.svg`] = toChart(
    `${engine}: what the store takes of each, ${AT_ONCE} at once`,
    'us',
    SIZES,
    kinds.map((kind) => ({ name: kind, values: own.map(({ times }) => median(times[kind])) })),
  )
}
lines.push(await sweeping(subjects.find(({ engine, size }) => engine === 'SQLite' && size === SIZES.at(-1))!.store))
report('growth', lines, charts)

for (const { store } of subjects) await store.close()
await postgres.remove()
rmSync(folder, { recursive: true })
process.exit()

/** The longest time for which the event loop stands still while a day's rows are swept, beyond what it does without. */
async function sweeping(store: Store): Promise<Line> {
  const EXPIRED = 60_000
  const long = { createdAt: 1, expiresAt: 2 }
  for (let i = 0; i < EXPIRED; i += 1_000) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 1_000; j++) {
        yield* tx.remember(`1|${j}`, '已绑定', 1)
        yield* tx.spend(`old|${j}`, 1)
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
    what: `SQLite: sweep of ${rows} rows, longest standstill (99.9 % / all)`,
    value: `${longest.toFixed(1)} / ${(gaps[0] ?? 0).toFixed(1)} ms, in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    number: longest,
    goal: { text: '20 ms', atMost: 20 },
  }
}
