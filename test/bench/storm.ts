/**
 * A reconnect storm: `npm run bench storm`, or `node test/bench/storm.ts <pages>`. 19,000 pages wait while the server is
 * restarted. While it is down, users load every twentieth page again, and every hundredth user is bound.
 *
 * The server ends by SIGKILL or by SIGTERM. The pages wait as the element does before they connect again, with clocks of their
 * own or with clocks in step. In step means that all of them send their requests at the same moments, as pages in the background
 * do whose timers the browser aligns. The last run also gives all pages the same random numbers, for comparison: it has no goals.
 *
 * `BENCH_DEBUG=1` prints the state of each second.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../demo/simulator/account.ts'
import { openStore } from '../../server/store/open-store.ts'
import { freePort } from '../deploy/ports.ts'
import { type Instance, startInstance } from '../support/instance.ts'
import { bindTo, seedTickets } from '../support/rows.ts'
import { startProbe } from './long-poll/probe.ts'
import type { PagesFigures, PagesOrder } from './storm/pages.ts'
import { report } from './support/report.ts'
import { startWechatApi } from './support/wechat-api.ts'

const PAGES = Number(process.argv[2] ?? 19_000)
const PROCESSES = 2
// The users 7, 107, 207 ... None of them loads the page again.
const [FIRST_BOUND, BOUND_EVERY] = [7, 100]
// A restart by an orchestrator: the new process starts some time after the old one has ended.
const DOWN_MS = 1_000
const GIVE_UP_MS = 90_000
const POLL_MS = 30_000

type Mode = { signal: 'SIGKILL' | 'SIGTERM'; isInStep: boolean; isRandom: boolean }
const modes: Mode[] = [
  { signal: 'SIGKILL', isInStep: false, isRandom: true },
  { signal: 'SIGTERM', isInStep: false, isRandom: true },
  { signal: 'SIGKILL', isInStep: true, isRandom: true },
  { signal: 'SIGTERM', isInStep: true, isRandom: true },
  { signal: 'SIGKILL', isInStep: true, isRandom: false },
]
const nameOf = ({ signal, isInStep, isRandom }: Mode) =>
  `${signal}, ${isInStep ? 'all clocks in step' : "the element's pauses"}${isRandom ? '' : ', no random pauses'}`
/** `stopped` counts the pages that failed four times to load a QR code. They show an error with a button. */
type Storm = Mode & {
  againMs: number
  slowestMs: number
  loopMs: number
  endLoopMs: number
  qrcodes: number
  healthMs: number
  stopped: number
}

const account = createAccount({}, randomBytes)
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-storm-'))
let qrcodes = 0
const wechat = await startWechatApi({ onScene: () => qrcodes++ })
const started: { kill(signal: NodeJS.Signals): unknown }[] = []
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const storms: Storm[] = []
for (const mode of modes) storms.push(await runStorm(mode))

async function runStorm(mode: Mode): Promise<Storm> {
  const { signal } = mode
  const name = nameOf(mode).replaceAll(/\W+/g, '-')
  const DATABASE_URL = `sqlite:${join(folder, `${name}.db`)}`
  const EVENT_LOOP_FILE = join(folder, `${name}.txt`)
  await seedTickets(DATABASE_URL, account.appId, PAGES)
  const [PORT, OPS_PORT] = [await freePort(), await freePort()]
  const ops = `http://127.0.0.1:${OPS_PORT}`
  const env = {
    DATABASE_URL,
    EVENT_LOOP_FILE,
    PORT,
    OPS_PORT,
    MAX_WAITERS_TENANT: '20000',
    WECHAT_API_BASE: wechat.url,
    LOG_LEVEL: 'info',
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'storm/delay-at-end.ts')}`,
  }
  const start = async (): Promise<Instance> => {
    const instance = await startInstance(account, env)
    started.push(instance.child)
    return instance
  }

  const first = await start()
  const pages = await openPages(first, Number(PORT), mode)
  while (sum(await askFigures(pages), 'shown') < PAGES) await delay(200)
  // Each poll ends once, so that each page knows of the others (`Bind-Reconnect`).
  await delay(POLL_MS)
  qrcodes = 0

  const endedAt = performance.now()
  await first.end(signal)
  order(pages, 'reload')
  const isDown = delay(DOWN_MS)
  const bound = await bindSome(DATABASE_URL)
  await isDown
  await start()
  const probe = startProbe(`http://127.0.0.1:${PORT}`)
  const startedAt = performance.now()

  let loopMs = 0
  let waiting = 0
  let isFirst = true
  let slowestMs = 0
  let told = 0
  let stopped = 0
  const isOver = () => waiting + stopped >= PAGES - bound && told >= bound
  while (!isOver() && performance.now() - startedAt < GIVE_UP_MS) {
    // A scrape takes 20 ms of the server's time with 19,000 connections.
    await delay(1_000)
    // One request, because each request for the metrics begins a new measurement of the event loop.
    const metrics = await readMetrics(ops)
    waiting = toNumber(metrics, 'wechat_bind_waiters')
    const lag = toNumber(metrics, 'nodejs_eventloop_lag_max_seconds') * 1000
    // The first value includes the start of the process.
    if (!isFirst) loopMs = Math.max(loopMs, lag)
    isFirst = false
    const figures = await askFigures(pages)
    slowestMs = Math.max(slowestMs, ...figures.map((each) => each.slowestMs))
    told = sum(figures, 'bound')
    stopped = sum(figures, 'stopped')
    if (process.env.BENCH_DEBUG)
      console.log(Math.round(performance.now() - startedAt), waiting, told, Math.round(lag), JSON.stringify(figures))
  }
  const againMs = isOver() ? performance.now() - endedAt : Number.POSITIVE_INFINITY
  const healthMs = Math.max(...(await probe.end()))
  for (const child of [...pages, ...started.splice(0)]) child.kill('SIGKILL')
  const endLoopMs = signal === 'SIGTERM' ? Number(readFileSync(EVENT_LOOP_FILE, 'utf8')) : 0
  const storm = { ...mode, againMs, slowestMs, loopMs, endLoopMs, qrcodes, healthMs, stopped }
  console.log(name, JSON.stringify(storm))
  return storm
}

async function openPages({ client }: Instance, port: number, { isInStep, isRandom }: Mode): Promise<ChildProcess[]> {
  const ttlSeconds = 3600
  const mint = (i: number) => client.mintToken({ account: 'acme', userId: `u${i}`, ttlSeconds })
  const tokens = await Promise.all(Array.from({ length: PAGES }, (_, i) => mint(i)))
  const each = Math.ceil(PAGES / PROCESSES)
  return Array.from({ length: PROCESSES }, (_, n) => {
    const child = fork(join(import.meta.dirname, 'storm/pages.ts'))
    started.push(child)
    const own = tokens.slice(n * each, (n + 1) * each)
    // Each process connects to an address of its own, because one pair of addresses has only 28,000 ports. A source address would cost
    // more: the system then looks for a free port at each connection.
    child.send({ open: { host: `127.0.0.${n + 2}`, port, tokens: own, isInStep, isRandom } } satisfies PagesOrder)
    return child
  })
}

function order(pages: ChildProcess[], what: PagesOrder): void {
  for (const child of pages) child.send(what)
}

function askFigures(pages: ChildProcess[]): Promise<PagesFigures[]> {
  const answers = pages.map(async (child) => ((await once(child, 'message')) as [PagesFigures])[0])
  order(pages, 'figures')
  return Promise.all(answers)
}

function sum(figures: PagesFigures[], name: keyof PagesFigures): number {
  return figures.reduce((total, each) => total + each[name], 0)
}

/** Binds every hundredth user without the server. Returns the number of users. */
async function bindSome(databaseUrl: string): Promise<number> {
  const store = await openStore(databaseUrl, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  let count = 0
  for (let i = FIRST_BOUND; i < PAGES; i += BOUND_EVERY, count++) {
    const { id } = await store.user({ tenant: 'default', account: 'acme', userId: `u${i}` })
    await bindTo(store, id, `o${i}`, account.appId)
  }
  await store.close()
  return count
}

async function readMetrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text()
}

function toNumber(metrics: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1])
}

const judged = storms.filter(({ isRandom }) => isRandom)
const asked = judged.reduce((sum, storm) => sum + storm.qrcodes, 0)
report('storm', [
  ...storms.flatMap((storm) => [
    {
      what: `${nameOf(storm)}: all wait again, from the signal`,
      value: `${(storm.againMs / 1000).toFixed(1)} s${storm.stopped ? ` (${storm.stopped} show an error)` : ''}`,
      number: storm.againMs,
      ...(storm.isRandom && { goal: { text: '60 s', atMost: 60_000 } }),
    },
    {
      what: '... slowest answer to a page; /healthz',
      value: `${(storm.slowestMs / 1000).toFixed(2)} s; ${(storm.healthMs / 1000).toFixed(2)} s`,
      number: Math.max(storm.slowestMs, storm.healthMs),
      ...(storm.isRandom && { goal: { text: '5 s', atMost: 5_000 } }),
    },
    {
      what: '... longest delay of the event loop; of the server that ends',
      value: `${storm.loopMs.toFixed(0)} ms; ${storm.endLoopMs.toFixed(0)} ms`,
      number: Math.max(storm.loopMs, storm.endLoopMs),
      ...(storm.isRandom && { goal: { text: '500 ms', atMost: 500 } }),
    },
  ]),
  { what: 'QR codes requested from WeChat', value: String(asked), number: asked, goal: { text: '0', atMost: 0 } },
])
wechat.end()
process.exit(asked > 0 || judged.some(({ againMs }) => againMs > 60_000) ? 1 : 0)
