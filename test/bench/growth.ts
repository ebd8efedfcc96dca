/**
/**
 * Measures how the time of a callback, of a poll, of the calls of the encrypted API and of the console's overview depends
 * on the size of the store, up to 3,000,000 bindings and 10,000,000 events. Also measures the delay of other requests by
 * a sweep and by an import. `npm run bench growth`, or `node test/bench/growth.ts postgres 1000 20000` for one engine or
 * other numbers of bindings.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount } from '../../demo/simulator/account.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { fillPostgres, fillSqlite, fillTickets } from './support/big.ts'
import { toChart } from './support/chart.ts'
import { consoleEnv, fillFigures, signIn } from './support/console-figures.ts'
import { importFile, writeImportFile } from './support/import-file.ts'
import { startLoad } from './support/load.ts'
import { measure } from './support/measure.ts'
import { cpuUsWithChildren, findPostmaster } from './support/process-usage.ts'
import { type Line, report } from './support/report.ts'
import type { Recipe } from './support/requests.ts'
import { type Served, serveOurs, toEnv } from './support/served.ts'
import { median } from './support/statistics.ts'
import { measureSweep } from './support/sweep-pause.ts'
import { startWechatApi } from './support/wechat-api.ts'

const isEngine = (argument: string) => argument === 'sqlite' || argument === 'postgres'
const engines = process.argv.slice(2).filter(isEngine)
const sizes = process.argv.slice(2).filter((argument) => !isEngine(argument))
const SIZES = sizes.length > 0 ? sizes.map(Number) : [1_000, 100_000, 3_000_000]
const ROUNDS = 9
// The first thousands of requests are not measured. They are slower, because V8 has not optimized the code yet, and the
// system has not cached the pages of the file. The larger the file, the greater the effect.
const WARM_UPS = 3
// The number of requests of each kind in each round. `CONNECTIONS` requests run at a time. A page of 100 items takes as
// long as dozens of single answers, so there are fewer of them.
const REQUESTS = {
  callback: 1_000,
  poll: 1_000,
  GetBindInfo: 1_000,
  ListBindings: 150,
  GetEvents: 350,
  feed: 150,
  overview: 100,
}
const CONNECTIONS = 64
// In the data of `big.ts`, three users have ten events. The events have not expired, so no sweep deletes them.
const eventsOf = (bindings: number) => Math.floor((bindings * 10) / 3)
const EVENTS = { hasManyEvents: true, eventsAt: Date.now() - 30 * 24 * 60 * 60_000, isPublished: true }

// The number of scans during an import, and the number of scans without an import.
const SCANS_BESIDE = 2_000
const SCANS_A_SECOND = 200
const IMPORTED = 20_000
const FIRST_BESIDE = (WARM_UPS + ROUNDS) * REQUESTS.callback

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }
const account = createAccount({}, randomBytes)

const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-growth-'))
const wechat = await startWechatApi()
const load = await startLoad()
type Kind = keyof typeof REQUESTS
const kinds = Object.keys(REQUESTS) as Kind[]
/** The time of a request and the CPU time of the server and of PostgreSQL, in us. */
type Times = { wall: number[]; cpu: number[] }
type Subject = { size: number; served: Served; cookie: string; times: Record<Kind, Times> }

try {
  if (engines.length === 0 || engines.includes('sqlite')) await measureSqlite()
  // PostgreSQL starts only after the SQLite part. Otherwise the system would still write data of one engine, and this
  // would delay the syncs of the other engine.
  if (engines.length === 0 || engines.includes('postgres')) await measurePostgres()
} finally {
  await load.end()
  wechat.end()
  rmSync(folder, { recursive: true })
}
process.exit()

async function measureSqlite(): Promise<void> {
  await measureGrowth('SQLite', newSqlite, () => 0)
  const beside = await measureImport(`sqlite:${fileOf(SIZES.at(-1)!)}`)
  const biggest = await openSqliteStore({ file: fileOf(SIZES.at(-1)!), ...settings })
  const swept = await measureSweep(biggest)
  await biggest.close()
  report('growth', [swept, ...beside])
}

async function measurePostgres(): Promise<void> {
  // With the default settings most of the time to fill 3,000,000 rows would go into checkpoints.
  const postgres = await startPostgres({ settings: ['max_wal_size=8GB', 'full_page_writes=off', 'shared_buffers=1GB'] })
  try {
    const postmaster = await findPostmaster(postgres.url)
    await measureGrowth(
      'PostgreSQL',
      (size) => newPostgres(postgres, size),
      () => cpuUsWithChildren(postmaster),
    )
  } finally {
    await postgres.remove()
  }
}

function fileOf(size: number): string {
  return join(folder, `${size}.db`)
}

async function newSqlite(size: number): Promise<string> {
  const file = fileOf(size)
  await (await openSqliteStore({ file, ...settings })).close()
  fillSqlite(file, size, EVENTS)
  await addRows(`sqlite:${file}`)
  return `sqlite:${file}`
}

async function newPostgres(postgres: Postgres, size: number): Promise<string> {
  const url = await postgres.newDatabase()
  await (await openPostgresStore({ url, ...settings })).close()
  await fillPostgres(url, size, EVENTS)
  await addRows(url)
  return url
}

/**
 * Starts a server for each size. Each round measures all servers, in alternating order, so that a slow moment of the
 * machine affects all of them.
 */
async function measureGrowth(
  engine: string,
  newStore: (size: number) => Promise<string>,
  storeCpuUs: () => number,
): Promise<void> {
  const subjects: Subject[] = []
  for (const size of SIZES) {
    const env = { ...toEnv(account, await newStore(size)), ...consoleEnv, WECHAT_API_BASE: wechat.url }
    const served = await serveOurs(env)
    const times = Object.fromEntries(kinds.map((kind) => [kind, { wall: [], cpu: [] }])) as unknown as Subject['times']
    subjects.push({ size, served, cookie: await signIn(served.consoleUrl!), times })
  }
  // Waits until the data of the filled databases is on the disk.
  spawnSync('sync')
  for (let round = 0; round < WARM_UPS + ROUNDS; round++) {
    for (const kind of kinds) for (const subject of subjects) await ask(subject, kind, round, storeCpuUs)
    subjects.reverse()
  }
  subjects.sort((a, b) => a.size - b.size)
  for (const { served } of subjects) await served.end()
  reportGrowth(engine, subjects)
}

/** Adds the console's figures, and a new user with a ticket for each scan. */
async function addRows(url: string): Promise<void> {
  await fillFigures(url, Date.now())
  await fillTickets(url, account.appId, FIRST_BESIDE + 2 * SCANS_BESIDE, 'new')
}

/** Measures the time per request in us, with `CONNECTIONS` requests at a time. */
async function ask(
  { served, cookie, size, times }: Subject,
  kind: Kind,
  round: number,
  storeCpuUs: () => number,
): Promise<void> {
  const count = REQUESTS[kind]
  await load.make(toRecipe())
  const job = { from: 0, count, connections: CONNECTIONS, ms: 60_000, expects: { status: 200 } }
  const url = kind === 'overview' ? served.consoleUrl! : served.url
  // On a busy machine, the first requests of a new server may take longer than its time limits.
  if (round < WARM_UPS) return void (await load.run({ urls: [url], ...job }))
  const cpuBefore = storeCpuUs()
  const { rate, cpuUs } = await measure(load, { ...served, url }, job)
  times[kind].wall.push(1_000_000 / rate)
  times[kind].cpu.push(cpuUs + (storeCpuUs() - cpuBefore) / count)

  function toRecipe(): Recipe {
    if (kind === 'callback') return { what: 'scan', account, from: round * count, count }
    if (kind === 'overview') return { what: kind, cookie, from: 0, count }
    return { what: kind, from: 0, count, users: size, prefix: 'old', isRandom: true }
  }
}

function reportGrowth(engine: string, subjects: Subject[]): void {
  const listed = (values: number[]) => values.map((value) => value.toLocaleString('en')).join(' / ')
  const sizes = `${listed(SIZES)} bindings and ${listed(SIZES.map(eventsOf))} events`
  const lines = kinds.map((kind) => {
    const wall = grow(subjects.map(({ times }) => times[kind].wall))
    const cpu = grow(subjects.map(({ times }) => times[kind].cpu))
    return {
      what: `${engine}: one ${kind} with ${sizes}`,
      value: `${wall.text}; CPU ${cpu.text}`,
      number: wall.ratio,
      goal: { text: '1.30x', atMost: 1.3 },
    }
  })
  const chart = toChart(
    `${engine}: one request, ${CONNECTIONS} at a time`,
    'us',
    SIZES,
    kinds.map((kind) => ({ name: kind, values: subjects.map(({ times }) => median(times[kind].wall)) })),
  )
  report('growth', lines, { [`growth-${engine.toLowerCase()}.svg`]: chart })
}

/** The medians of each size, and the growth from the smallest size to the largest. */
function grow(bySize: number[][]): { ratio: number; text: string } {
  const [smallest, largest] = [bySize[0]!, bySize.at(-1)!]
  // Uses the ratio within each round, because only measurements from the same time are comparable.
  const ratio = median(largest.map((value, i) => value / smallest[i]!))
  return { ratio, text: `${bySize.map((values) => median(values).toFixed(0)).join(' / ')} us, ${ratio.toFixed(2)}x` }
}

/**
 * Measures the slowest callback without an import, and the slowest one during an import. The import is a separate
 * process.
 */
async function measureImport(databaseUrl: string): Promise<Line[]> {
  const served = await serveOurs({ ...toEnv(account, databaseUrl), WECHAT_API_BASE: wechat.url })
  const file = await writeImportFile(join(folder, 'import.csv'), IMPORTED)
  const scan = async (from: number) => {
    await load.make({ what: 'scan', account, from, count: SCANS_BESIDE })
    const job = { from: 0, count: SCANS_BESIDE, connections: CONNECTIONS, ms: 60_000, rate: SCANS_A_SECOND }
    return () => load.run({ urls: [served.url], ...job, expects: { status: 200 } })
  }
  const alone = await (await scan(FIRST_BESIDE))()
  const startScans = await scan(FIRST_BESIDE + SCANS_BESIDE)
  const importing = importFile(file, databaseUrl, account.appId)
  const besideIt = await startScans()
  const { seconds } = await importing
  await served.end()
  const delay = besideIt.max - alone.max
  return [
    {
      what: 'SQLite: slowest callback, alone / beside an import',
      value: `${alone.max.toFixed(1)} / ${besideIt.max.toFixed(1)} ms; the import took ${seconds.toFixed(1)} s`,
      number: delay,
      goal: { text: '20 ms more', atMost: 20 },
    },
  ]
}
