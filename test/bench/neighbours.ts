/**
 * Measures how much a sweep and an import delay callbacks, on each engine with 3,000,000 bindings and 10,000,000 events:
 * `npm run bench neighbours`, or `node test/bench/neighbours.ts 300000 sqlite` for another number of bindings and for
 * one engine. `BENCH_BACKLOG` and `BENCH_IMPORTED` change the number of expired rows and of imported lines. Callbacks
 * arrive at a constant rate during the whole run: first without other work, then during a sweep of many expired rows in
 * every table, and then during `bindings import`.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../demo/simulator/account.ts'
import { openStore } from '../../server/store/open-store.ts'
import { type Instance, sealScan, startInstance } from '../support/instance.ts'
import { startPostgres } from '../support/postgres.ts'
import { seedTickets } from '../support/rows.ts'
import { fillBacklog, sweepProgress } from './support/backlog.ts'
import { fillPostgres, fillSqlite } from './support/big.ts'
import { importFile, writeImportFile } from './support/import-file.ts'
import { holdLine, lockTimesEnv, readHolds } from './support/lock-times.ts'
import { type Line, report } from './support/report.ts'
import { quantile } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const [bindings = '3000000', only] = process.argv.slice(2)
const BINDINGS = Number(bindings)
// The number of rows in each of the five large tables. The other eleven tables have a fifth of this number.
const BACKLOG = Number(process.env.BENCH_BACKLOG ?? 50_000)
const IMPORTED = Number(process.env.BENCH_IMPORTED ?? 200_000)
const PER_SECOND = 50
// The goal for the delay of a callback.
const LIMIT_MS = 20
// The number of callbacks, which is enough for a sweep and an import. A message gets its timestamp when it is sent.
const TICKETS = 20_000
const MONTH_MS = 30 * 24 * 60 * 60_000

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }
const account = createAccount({}, randomBytes)
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-neighbours-'))
const wechat = await startWechatApi()
const importedFile = await writeImportFile(join(folder, 'import.csv'), IMPORTED)
const lines: Line[] = []
if (only !== 'postgres') {
  const file = join(folder, 'bind.db')
  lines.push(
    ...(await measure('SQLite', `sqlite:${file}`, async (eventsAt) =>
      fillSqlite(file, BINDINGS, { hasManyEvents: true, eventsAt }),
    )),
  )
  rmSync(file)
}
if (only !== 'sqlite') {
  const postgres = await startPostgres({ isDurable: true })
  const url = await postgres.newDatabase()
  lines.push(
    ...(await measure('PostgreSQL', url, (eventsAt) => fillPostgres(url, BINDINGS, { hasManyEvents: true, eventsAt }))),
  )
  await postgres.remove()
}
report('neighbours', lines)
wechat.end()
rmSync(folder, { recursive: true })
process.exit()

async function measure(engine: string, url: string, fill: (eventsAt: number) => Promise<void>): Promise<Line[]> {
  await (await openStore(url, settings)).close()
  await fillBacklog(url, BACKLOG, BINDINGS, Date.now())
  await fill(Date.now() - MONTH_MS)
  await seedTickets(url, account.appId, TICKETS)
  const [ofServer, ofImport] = [join(folder, 'server.json'), join(folder, 'import.json')]
  const instance = await startInstance(account, {
    DATABASE_URL: url,
    WECHAT_API_BASE: wechat.url,
    ...lockTimesEnv(ofServer),
  })
  const stream = startStream(instance)
  // The first requests are slower, so they are not measured. The server sweeps a minute after its start.
  await delay(10_000)
  await stream.next()
  while ((await sweepProgress(url, BACKLOG)) === 'waits') await delay(100)
  const alone = await stream.next()
  const sweepAt = Date.now()
  while ((await sweepProgress(url, BACKLOG)) === 'runs') await delay(100)
  const besideSweep = await stream.next()
  const importAt = Date.now()
  const { seconds } = await importFile(importedFile, url, account.appId, lockTimesEnv(ofImport))
  const besideImport = await stream.next()
  const failed = stream.end()
  await instance.end('SIGTERM')
  const holds =
    engine === 'SQLite'
      ? [
          holdLine(`${engine}: the write lock during the sweep`, readHolds(ofServer, sweepAt, importAt), LIMIT_MS),
          holdLine(`${engine}: the write lock during the import`, readHolds(ofImport, importAt, Infinity), LIMIT_MS),
        ]
      : []
  return [
    { what: `${engine}: callbacks alone`, value: textOf(alone) },
    toLine(`${engine}: beside a sweep of ${BACKLOG * 7} rows`, besideSweep, alone),
    toLine(`${engine}: beside an import of ${IMPORTED} lines in ${seconds.toFixed(0)} s`, besideImport, alone),
    ...holds,
    { what: `${engine}: failed callbacks`, value: String(failed), number: failed, goal: { text: 'none', atMost: 0 } },
  ]
}

type Section = { seconds: number; times: number[]; blockedMs: number }

function textOf({ seconds, times, blockedMs }: Section): string {
  return `p50 ${quantile(times, 0.5).toFixed(1)}, p99 ${quantile(times, 0.99).toFixed(1)}, p99.9 ${quantile(times, 0.999).toFixed(1)}, slowest ${Math.max(...times).toFixed(1)} of ${times.length} in ${seconds.toFixed(0)} s; event loop blocked for ${blockedMs.toFixed(1)} ms`
}

function toLine(what: string, section: Section, alone: Section): Line {
  const added = Math.max(...section.times) - Math.max(...alone.times)
  const added999 = quantile(section.times, 0.999) - quantile(alone.times, 0.999)
  return {
    what,
    value: `${textOf(section)}; added ${added999.toFixed(1)} ms at p99.9, ${added.toFixed(1)} to the slowest`,
    number: added,
    goal: { text: `${LIMIT_MS} ms`, atMost: LIMIT_MS },
  }
}

/** Sends callbacks at a constant rate, each for another user. A slow callback does not delay the next callback. */
function startStream(instance: Instance) {
  const agent = new Agent({ keepAlive: true })
  let section: number[] = []
  let sectionAt = performance.now()
  let sent = 0
  let failed = 0
  const startedAt = performance.now()
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startedAt) / 1000) * PER_SECOND; sent < Math.min(due, TICKETS); sent++) {
      scan(instance, agent, sent).then(
        (ms) => section.push(ms),
        () => failed++,
      )
    }
  }, 5)

  return {
    /** Ends the current section of the measurement and begins the next section. */
    async next(): Promise<Section> {
      const blockedMs = await longestBlock(instance)
      const ended = { seconds: (performance.now() - sectionAt) / 1000, times: section, blockedMs }
      section = []
      sectionAt = performance.now()
      return ended
    },
    end(): number {
      clearInterval(timer)
      agent.destroy()
      return failed
    },
  }
}

/** Returns the longest delay of the event loop since the last call, because reading the metrics resets the value. */
async function longestBlock({ url }: Instance): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]) * 1000
}

/** Resolves with the response time in ms. */
async function scan({ url }: Instance, agent: Agent, user: number): Promise<number> {
  const { query, body } = sealScan(account, { openid: `oBeside${user}`, scene: `wb1_u${user}` })
  const sentAt = performance.now()
  const sending = request(`${url}/wechat/callback?${query}`, { method: 'POST', agent }).end(body)
  const [response] = await once(sending, 'response')
  await once(response.resume(), 'end')
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`)
  return performance.now() - sentAt
}
