/**
 * Measures the console on a store with 3,000,000 bindings and 60 days of figures, and the CPU time that a callback
 * needs to count the figures: `npm run bench console`, or `node test/bench/console.ts 100000` for another number of
 * bindings. The median of the overview must be below 300 ms, and the median of every search and page below 50 ms. The
 * counting must take less than 2 % of the CPU time of a callback.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyIntent } from '../../server/binding/apply-intent.ts'
import { createConsole } from '../../server/console/console.ts'
import { openStore } from '../../server/store/open-store.ts'
import { createFigures } from '../../server/telemetry/figures.ts'
import { CONSOLE_TOKENS, createConsoleClient } from '../support/console-client.ts'
import { startPostgres } from '../support/postgres.ts'
import { seedTickets } from '../support/rows.ts'
import { openTestServer } from '../support/test-server.ts'
import { fillPostgres, fillSqlite } from './support/big.ts'
import { fillFigures } from './support/console-figures.ts'
import { type Line, report } from './support/report.ts'
import { median } from './support/statistics.ts'

const bindings = Number(process.argv[2] ?? 3_000_000)
const ROUNDS = 30
const WARM_UP = 5

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-console-'))
const postgres = await startPostgres()
try {
  const file = join(folder, 'console.db')
  await (await openStore(`sqlite:${file}`, settings)).close()
  fillSqlite(file, bindings)
  report('console on SQLite', await measurePages('SQLite', `sqlite:${file}`))
  const url = await postgres.newDatabase()
  await (await openStore(url, settings)).close()
  await fillPostgres(url, bindings)
  report('console on PostgreSQL', await measurePages('PostgreSQL', url))
  report('counting the figures', await measureCounting())
} finally {
  await postgres.remove()
  rmSync(folder, { recursive: true })
}
process.exit()

async function measurePages(engine: string, url: string): Promise<Line[]> {
  const testServer = await openTestServer({ DATABASE_URL: url, CONSOLE_TOKENS })
  await fillFigures(url, testServer.time.clock())
  const client = createConsoleClient(createConsole(testServer.deps))
  await client.signIn('otto')
  const idOf = (i: number) => 3 * Math.floor(((i + 1) * bindings) / (ROUNDS + WARM_UP + 1) / 3)
  const openidOf = (id: number) => `oBench${String((id * 2_654_435_761) % 4_294_967_296).padStart(22, '0')}`
  const headers = { Cookie: client.cookie()! }
  /** Creates a console whose cache is empty. */
  const firstOverview = async (query: string) =>
    createConsole(testServer.deps).request(`http://127.0.0.1:4002/api/overview?${query}`, { headers })
  const cursors = new Map<string, string | null>()
  const search = (q: string) => client.post('api/users/search', { q })
  /** Returns the next page of a search. */
  async function page(q: string): Promise<Response> {
    const cursor = cursors.get(q)
    const response = await client.post('api/users/search', cursor ? { q, cursor } : { q })
    cursors.set(q, ((await response.clone().json()) as { next: string | null }).next)
    return response
  }
  const rows: [what: string, limitMs: number, request: (i: number) => Promise<Response>][] = [
    ['overview of 24 hours, for the first time', 300, () => firstOverview('range=24h')],
    ['overview of 30 days, for the first time', 300, () => firstOverview('range=30d')],
    ['overview of 30 days of a tenant, for the first time', 300, () => firstOverview('range=30d&tenant=tenant1')],
    ['overview of 30 days, again within a minute', 300, () => client.get('api/overview?range=30d')],
    ['search by OpenID', 50, (i) => search(openidOf(idOf(i)))],
    ['search by UnionID', 50, (i) => search(`uBench${idOf(i)}`)],
    ['search by User_ID', 50, (i) => search(`old${idOf(i)}`)],
    ['search by Account and User_ID', 50, (i) => search(`acme old${idOf(i)}`)],
    ['search for nobody', 50, (i) => search(`nobody${i}`)],
    ['a page of the newest bindings', 50, () => page('')],
    ['a page of an Account', 50, () => page('acme')],
    ['a page of the beginning of a User_ID', 50, () => page('old')],
    [
      'one user',
      50,
      (i) => client.post('api/users/show', { tenant: 'default', account: 'acme', userId: `old${idOf(i)}` }),
    ],
    ['webhooks', 50, () => client.get('api/webhooks')],
    ['live events', 50, () => client.get('api/live?wait=0')],
  ]
  const lines: Line[] = []
  for (const [what, limitMs, request] of rows) {
    const times: number[] = []
    for (let i = 0; i < ROUNDS + WARM_UP; i++) {
      const startedAt = performance.now()
      const response = await request(i)
      await response.text()
      if (!response.ok) throw new Error(`${what}: ${response.status}`)
      if (i >= WARM_UP) times.push(performance.now() - startedAt)
    }
    const number = median(times)
    lines.push({
      what: `${engine}, ${bindings} bindings, ${what}`,
      value: `${number.toFixed(1)} ms (${Math.max(...times).toFixed(1)})`,
      number,
      goal: { text: `${limitMs} ms`, atMost: limitMs },
    })
  }
  await testServer.close()
  return lines
}

/**
 * Compares the CPU time of the counting with the CPU time of a scan's transaction. A callback also needs CPU time for
 * HTTP and decryption, so the measured share is an upper limit. The server saves the counts every five seconds. The CPU
 * time of saving is divided by the number of callbacks in this time.
 */
async function measureCounting(): Promise<Line[]> {
  const SCANS = 6_000
  const AT_ONCE = 64
  const PER_SECOND = 100
  const SAVED_EVERY_S = 5
  const url = `sqlite:${join(folder, 'counting.db')}`
  await seedTickets(url, 'wx1', SCANS)
  const store = await openStore(url, settings)
  const figures = createFigures({
    store,
    clock: Date.now,
    instance: 'bench',
    isConfirmed: false,
    waiting: () => 0,
    waitingLimit: 1,
    token: () => ({ at: undefined, until: undefined }),
  })
  const events = {
    appId: 'wx1',
    rules: { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind' },
    texts: {},
    lang: 'zh-CN',
  } as const
  const deps = { store, events, clock: Date.now, afterCommit() {} }
  const scan = (i: number) => {
    const claim = { via: 'SCAN', appId: 'wx1', openid: `o${i}`, createTime: 1 } as const
    return applyIntent(deps, { key: `${i}|d` }, { type: 'claim', claim, key: `wb1_u${i}` })
  }
  async function scanMany(from: number, until: number): Promise<void> {
    for (let i = from; i < until; i += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, until - i) }, (_, j) => scan(i + j)))
    }
  }
  await scanMany(0, SCANS / 2)
  const callbackUs = (await cpuOf(() => scanMany(SCANS / 2, SCANS))) / (SCANS / 2)

  const COUNTS = 300_000
  const identity = { tenant: 'default', account: 'acme', userId: 'u1' }
  const countMany = async () => {
    for (let i = 0; i < COUNTS; i++) {
      figures.callback()
      figures.committed({ identity, version: i, steps: [{ name: 'bind', reason: 'scan', tookMs: i % 60_000 }] })
    }
  }
  await countMany()
  const countUs = (await cpuOf(countMany)) / COUNTS
  const SAVES = 200
  const saveUs =
    (await cpuOf(async () => {
      for (let i = 0; i < SAVES; i++) {
        figures.shown('default')
        await figures.save()
      }
    })) / SAVES
  await store.close()
  const share = ((countUs + saveUs / (PER_SECOND * SAVED_EVERY_S)) / callbackUs) * 100
  return [
    { what: 'CPU of the transaction of a scan, without HTTP and decryption', value: `${callbackUs.toFixed(0)} us` },
    { what: 'CPU of counting it', value: `${countUs.toFixed(2)} us` },
    { what: 'CPU of saving the counts, every 5 s', value: `${saveUs.toFixed(0)} us` },
    {
      what: `counting at ${PER_SECOND} callbacks a second, of the CPU of the transaction`,
      value: `${share.toFixed(2)} %`,
      number: share,
      goal: { text: '2 %', atMost: 2 },
    },
  ]
}

/** Returns the CPU time of all threads of the process, in microseconds. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
