/**
 * The cost of NOTIFY in PostgreSQL, with plain statements: `npm run bench notify`. PostgreSQL holds one lock from before the sync of a
 * commit with NOTIFY until after it, so such commits are synced one after the other, while commits without NOTIFY share a sync. In
 * addition, each commit with NOTIFY wakes a process of PostgreSQL for each listening connection. Linux only.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { newSubscriber, query, startPostgres } from '../support/postgres.ts'
import { cpuUsWithChildren, findPostmaster, memoryOfChildren } from './support/process-usage.ts'
import { type Line, report, round } from './support/report.ts'
import { median, quantile } from './support/statistics.ts'

// The scans that one instance commits together at most (`batched-transactions.ts`).
const GROUP = 64

const RATES = [50, 100, 200, 400, 800, 1_600]
const CONNECTIONS = 64
// Of more commits that wait, the latency says nothing but that the rate is too high.
const TOO_SLOW_MS = 200

const LISTENERS = [1, 10, 100, 300]
const ROUNDS = 3
const ROUND_MS = 1_000

// A sync over a network takes a few ms. With these settings PostgreSQL waits 3 ms before each sync, whatever else runs.
const SLOW_SYNC = ['set commit_delay = 3000', 'set commit_siblings = 0']

const postgres = await startPostgres({ isDurable: true, settings: ['max_connections=500'] })
const urls = [await postgres.newDatabase(), await postgres.newDatabase()]
for (const url of urls) await query(url, 'create table scans (id bigserial primary key, openid text not null)')
const postmaster = await findPostmaster(postgres.url)

/** The payload has the length of a real one: sender, tenant, account, user and version. */
const PAYLOAD = `'["dGhpc2lzMTI","default","acme","user-' || n || '",1]'`

/** One transaction, because the statements are sent together. */
const toTransaction = ({ rows = 1, notifies }: Pick<Run, 'rows' | 'notifies'>) =>
  `insert into scans (openid) select 'oBench' || n from generate_series(1, ${rows}) n${
    notifies ? `; select pg_notify('wechat_bind', ${PAYLOAD}) from generate_series(1, ${rows}) n` : ''
  }`

type Run = { connections: number; notifies: boolean; rows?: number; databases?: number; setUp?: string[] }

async function openClients({ connections, databases = 1, setUp = [] }: Run): Promise<pg.Client[]> {
  return Promise.all(
    Array.from({ length: connections }, async (_, i) => {
      const client = new pg.Client(urls[i % databases])
      await client.connect()
      for (const text of setUp) await client.query(text)
      return client
    }),
  )
}

const closeAll = (clients: { end(): Promise<void> }[]) => Promise.all(clients.map((client) => client.end()))

/** Commits a second, and PostgreSQL's CPU time for each. Each connection commits again as soon as its last commit is answered. */
async function measure(run: Run): Promise<{ rate: number; cpuUs: number }> {
  const clients = await openClients(run)
  const text = toTransaction(run)
  let count = 0
  const [startedAt, cpu] = [performance.now(), cpuUsWithChildren(postmaster)]
  const elapsed = () => performance.now() - startedAt
  const commit = async (client: pg.Client) => {
    for (; elapsed() < ROUND_MS; count++) await client.query(text)
  }
  await Promise.all(clients.map(commit))
  const result = { rate: (count * 1000) / elapsed(), cpuUs: (cpuUsWithChildren(postmaster) - cpu) / count }
  await closeAll(clients)
  return result
}

/** The time from when a commit is due until its answer, in ms, at a constant rate. */
async function measureAtRate(rate: number, notifies: boolean): Promise<number[]> {
  const clients = await openClients({ connections: CONNECTIONS, notifies })
  const text = toTransaction({ notifies })
  const total = (rate * 2 * ROUND_MS) / 1000
  const times: number[] = []
  const startedAt = performance.now()
  let next = 0
  const commit = async (client: pg.Client) => {
    while (next < total) {
      const dueAt = startedAt + (next++ * 1000) / rate
      const early = dueAt - performance.now()
      // The rate of the commits is what this part measures, so it waits for the clock.
      if (early > 0) await delay(early)
      await client.query(text)
      times.push(performance.now() - dueAt)
      if (times.at(-1)! > TOO_SLOW_MS) next = total
    }
  }
  await Promise.all(clients.map(commit))
  await closeAll(clients)
  return times
}

async function compareRates(): Promise<Line[]> {
  const lines: Line[] = []
  for (const rate of RATES) {
    const [withNotify, without] = [await measureAtRate(rate, true), await measureAtRate(rate, false)]
    const show = (times: number[]) =>
      Math.max(...times) > TOO_SLOW_MS
        ? `over ${TOO_SLOW_MS}`
        : `${round(quantile(times, 0.5))} and ${round(quantile(times, 0.99))}`
    lines.push({
      what: `${rate} commits a second: p50 and p99 with NOTIFY / without`,
      value: `${show(withNotify)} / ${show(without)} ms`,
    })
  }
  return lines
}

/** Runs with and without NOTIFY in turn. The ratio is that of each round. */
async function compare(what: string, run: Omit<Run, 'notifies'>): Promise<Line> {
  const rates: Record<'with' | 'without', number>[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const { rate: withNotify } = await measure({ ...run, notifies: true })
    const { rate: without } = await measure({ ...run, notifies: false })
    rates.push({ with: withNotify, without })
  }
  const of = (name: 'with' | 'without') => round(median(rates.map((each) => each[name])))
  const ratio = median(rates.map((each) => each.with / each.without))
  return {
    what: `${what}: commits a second with NOTIFY / without`,
    value: `${of('with')} / ${of('without')}, ${ratio.toFixed(2)}x`,
    number: ratio,
  }
}

/** PostgreSQL's CPU time for a commit with NOTIFY, by the number of connections that listen. */
async function measureListeners(count: number): Promise<Line> {
  const before = memoryOfChildren(postmaster)
  const listeners = await Promise.all(Array.from({ length: count }, () => newSubscriber(urls[0]!, 'wechat_bind')))
  const memory = (memoryOfChildren(postmaster) - before) / count / 2 ** 20
  const of: Record<number, number[]> = { 1: [], [GROUP]: [] }
  for (let i = 0; i < ROUNDS; i++) {
    for (const rows of [1, GROUP]) of[rows]!.push((await measure({ connections: 4, rows, notifies: true })).cpuUs)
  }
  await closeAll(listeners)
  return {
    what: `${count} listening connections: CPU of PostgreSQL for a commit of 1 / ${GROUP} scans`,
    value: `${round(median(of[1]!))} / ${round(median(of[GROUP]!))} us; ${memory.toFixed(1)} MiB each`,
  }
}

await measure({ connections: 8, notifies: true })
const listener = await newSubscriber(urls[0]!, 'wechat_bind')
const lines = [
  ...(await compareRates()),
  await compare('1 connection', { connections: 1 }),
  await compare('4 connections', { connections: 4 }),
  await compare('16 connections', { connections: 16 }),
  await compare('64 connections', { connections: 64 }),
  await compare('64 connections in 2 databases of one server', { connections: 64, databases: 2 }),
  await compare(`16 connections, ${GROUP} scans a commit`, { connections: 16, rows: GROUP }),
  await compare('16 connections, syncs 3 ms slower', { connections: 16, setUp: SLOW_SYNC }),
]
await listener.end()
for (const count of LISTENERS) lines.push(await measureListeners(count))
report('notify', lines)
await postgres.remove()
process.exit()
