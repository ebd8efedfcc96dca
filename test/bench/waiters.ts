/**
 * 10,000 pages that wait at one process: what each costs, how soon one hears and how soon all do, beside a bare node:http, the
 * naive way and SSE; what waiting costs beside polling each second; then two minutes under 500 callbacks a second.
 * `npm run bench waiters`, or with fewer pages `node test/bench/waiters.ts 1000`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { mintTokens, type Name, startContender, withoutWait } from './long-poll/contender.ts'
import { nextAnswer, type Page } from './long-poll/crowd.ts'
import { runSteadily } from './long-poll/steady.ts'
import { median, quantile } from './support/statistics.ts'

const PAGES = Number(process.argv[2] ?? 10_000)
const WAKES = 500
const ROUNDS = 3
// One whole wait, so that each page asks again once.
const WAIT_MS = 25_000
const POLL_MS = 10_000

const tokens = await mintTokens(PAGES)

type Measured = { kib: number; one: number[]; all: number }
type Contender = Awaited<ReturnType<typeof startContender>>

async function measure(name: Name): Promise<Measured> {
  const server = await startContender(name, tokens)
  // What a page costs is what the second half of them adds: what a process needs once, it has by then.
  const half = PAGES / 2
  const pages = await server.crowd(server.requests.slice(0, half))
  const before = await server.figures()
  pages.push(...(await server.crowd(server.requests.slice(half))))
  const { rss } = await server.figures()
  const one: number[] = []
  for (let i = 0; i < Math.min(WAKES, PAGES / 2); i++) one.push(await wake(server, pages, i))
  const all = await wakeAll(server, pages.slice(one.length))
  for (const { socket } of pages) socket.destroy()
  server.end()
  return { kib: (rss - before.rss) / 1024 / half, one, all }
}

async function wake({ order }: Contender, pages: Page[], i: number): Promise<number> {
  const answered = nextAnswer(pages[i]!)
  const sentAt = performance.now()
  order({ wake: `u${i}` })
  return (await answered) - sentAt
}

async function wakeAll({ order }: Contender, pages: Page[]): Promise<number> {
  const answers = pages.map(nextAnswer)
  const sentAt = performance.now()
  order('wakeAll')
  return Math.max(...(await Promise.all(answers))) - sentAt
}

/** Cores that the server uses while nothing happens: its pages wait, or ask each second. */
async function coresOf(name: 'ours' | 'polled', how: 'waiting' | 'polling'): Promise<number> {
  const server = await startContender(name, tokens)
  const requests = how === 'waiting' ? server.requests : server.requests.map(withoutWait)
  const pages = await server.crowd(requests)
  if (how === 'waiting') for (const [i, page] of pages.entries()) page.onAnswer = () => page.send(requests[i]!)
  const before = await server.figures()
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt
  for (let asked = 0; elapsed() < (how === 'waiting' ? WAIT_MS : POLL_MS); await delay(5)) {
    const due = how === 'waiting' ? 0 : (elapsed() / 1000) * PAGES
    for (; asked < due; asked++) pages[asked % PAGES]!.send(requests[asked % PAGES]!)
  }
  const { cpu } = await server.figures()
  const cores = (cpu - before.cpu) / elapsed()
  for (const { socket } of pages) socket.destroy()
  server.end()
  return cores
}

const names: Name[] = ['raw', 'ours', 'naive', 'sse']
const results = new Map<Name, Measured[]>(names.map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round++) for (const name of names) results.get(name)!.push(await measure(name))

const raws = results.get('raw')!
const figure = (rounds: Measured[], of: 'kib' | 'all') => median(rounds.map((each) => each[of]))
const beside = (rounds: Measured[], of: 'kib' | 'all') =>
  `${figure(rounds, of).toFixed(1)} (${(figure(rounds, of) / figure(raws, of)).toFixed(2)})`
console.log(`${PAGES} waiting pages; in brackets: times a bare node:http that reads the same headers`)
for (const [name, rounds] of results) {
  const ones = rounds.flatMap((each) => each.one)
  console.log(
    `  ${name.padEnd(6)} ${beside(rounds, 'kib')} KiB each; one woken p50 ${median(ones).toFixed(2)} ms, p99 ${quantile(ones, 0.99).toFixed(2)} ms; all woken, the last after ${beside(rounds, 'all')} ms`,
  )
}

const waiting = await coresOf('ours', 'waiting')
for (const [who, polling] of [
  ['the same server, asked each second', await coresOf('ours', 'polling')],
  ['a server that reads no token and no store, asked each second', await coresOf('polled', 'polling')],
] as const) {
  console.log(
    `  waiting costs ${waiting.toFixed(3)} of a core; ${who}, ${polling.toFixed(3)}: 1/${(polling / waiting).toFixed(1)}`,
  )
}

const [perSecond, seconds] = [500, 120]
console.log(`\n${PAGES} waiting pages and ${perSecond} callbacks a second for ${seconds} s:`)
const isSteady = await runSteadily(PAGES, perSecond, seconds)
console.log(isSteady ? '  steady' : '  NOT steady')
process.exit(isSteady ? 0 : 1)
