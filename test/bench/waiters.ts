/**
 * Measures waiting pages at one process: `npm run bench waiters`. Measures the memory per page, the time to wake one
 * page, and the time to wake all pages. Measures the same for a server with nothing but node:http, for a simple
 * long-poll and for SSE. Also compares the CPU time of waiting pages with the CPU time of pages that poll every second.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { mintTokens, type Name, startContender, withoutWait, withWait } from './long-poll/contender.ts'
import { nextAnswer, type Page } from './long-poll/crowd.ts'
import { type Line, report } from './support/report.ts'
import { median, quantile, slope } from './support/statistics.ts'

const PAGES = 10_000
const ROUNDS = 3
const STEPS = 10
// The limit of file descriptors per process is 20,000 on this machine.
const MOST_PAGES = 19_000
const WAKES = 500
// In seconds.
const WAIT = 25
const WARM_UP_MS = 20_000
const OTHER_PAGES = 2_000
const POLL_MS = 10_000

const tokens = await mintTokens(MOST_PAGES)

/**
 * `kib` is the memory per page. `rss` is the memory of the process in bytes. `one` and `all` are the times in ms to
 * wake one page and all pages.
 */
type Measured = { kib: number; rss: number; one: number[]; all: number }
type Contender = Awaited<ReturnType<typeof startContender>>

async function measure(name: Name, size: number): Promise<Measured> {
  const server = await startContender(name, tokens.slice(0, size))
  // Computes the memory per page as the slope of the process's memory over ten samples. The difference of only two
  // samples depends on the time of V8's last garbage collection. For example, the server with node:http needs 11.7 KiB
  // per page according to the slope, but 10.5 KiB according to two samples.
  const step = size / STEPS
  const pages: Page[] = []
  const samples: number[] = []
  for (let from = 0; from < size; from += step) {
    pages.push(...(await server.crowd(server.requests.slice(from, from + step))))
    samples.push((await server.figures()).rss)
  }
  const one: number[] = []
  for (let i = 0; i < Math.min(WAKES, size / 2); i++) one.push(await wake(server, pages, i))
  const all = await wakeAll(server, pages.slice(one.length))
  close(server, pages)
  return { kib: slope(samples) / 1024 / step, rss: samples.at(-1)!, one, all }
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

/** The number of cores that a server uses during `run`, while no state changes. */
async function coresDuring(server: Contender, run: () => Promise<unknown>): Promise<number> {
  const before = await server.figures()
  const startedAt = performance.now()
  await run()
  const { cpu } = await server.figures()
  return (cpu - before.cpu) / (performance.now() - startedAt)
}

/**
 * Returns the cores for pages that wait again after each answer: first in the order and at the times in which they were
 * opened, and then spread evenly over the 25 s. A few requests at a time cost more than many, because the server sleeps
 * between them.
 *
 * Before the measurement other pages wait, so that V8 has optimized the code, as in a server that has run for some
 * minutes. Otherwise a third of the CPU time would be that of the compiler.
 */
async function coresOfWaiting(): Promise<{ asOpened: number; spread: number }> {
  const server = await startContender('ours', tokens.slice(0, PAGES + OTHER_PAGES))
  const others = await server.crowd(server.requests.slice(PAGES).map(withoutWait))
  for (const [i, page] of others.entries()) {
    page.onAnswer = () => page.send(withWait(server.requests[PAGES + i]!, 1))
    page.onAnswer('', 0)
  }
  await delay(WARM_UP_MS)
  for (const { socket } of others) socket.destroy()
  while ((await server.figures()).held > 0) await delay(5)

  const requests = server.requests.slice(0, PAGES)
  const pages = await server.crowd(requests)
  let secondsOf = (_: number) => WAIT
  for (const [i, page] of pages.entries()) page.onAnswer = () => page.send(withWait(requests[i]!, secondsOf(i)))
  const wait = () => coresDuring(server, () => delay(WAIT * 1000))
  const asOpened = await wait()
  secondsOf = (i) => 1 + (i % WAIT)
  await delay(WAIT * 1000)
  secondsOf = () => WAIT
  await delay(WAIT * 1000)
  const spread = await wait()
  close(server, pages)
  return { asOpened, spread }
}

/** Each page polls once per second, one page after the other. */
async function coresOfPolling(name: 'ours' | 'polled'): Promise<number> {
  const server = await startContender(name, tokens.slice(0, PAGES))
  const requests = server.requests.map(withoutWait)
  const pages = await server.crowd(requests)
  const poll = async (ms: number) => {
    const startedAt = performance.now()
    const elapsed = () => performance.now() - startedAt
    for (let asked = 0; elapsed() < ms; await delay(5)) {
      const due = (elapsed() / 1000) * PAGES
      for (; asked < due; asked++) pages[asked % PAGES]!.send(requests[asked % PAGES]!)
    }
  }
  await poll(WARM_UP_MS)
  const cores = await coresDuring(server, () => poll(POLL_MS))
  close(server, pages)
  return cores
}

function close(server: Contender, pages: Page[]): void {
  for (const { socket } of pages) socket.destroy()
  server.end()
}

const labels: Record<Name, string> = {
  raw: 'bare node:http',
  ours: 'wechat-bind',
  naive: 'naive long-poll',
  sse: 'SSE',
  polled: 'short polling',
}

async function compare(
  size: number,
  names: Name[],
  rounds: number,
): Promise<{ of: Record<string, Measured[]>; lines: Line[] }> {
  const of: Record<string, Measured[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) for (const name of names) of[name]!.push(await measure(name, size))
  const lines = names.map((name) => {
    const each = of[name]!
    const ones = each.flatMap(({ one }) => one)
    const kib = median(each.map((round) => round.kib)).toFixed(1)
    const all = median(each.map((round) => round.all)).toFixed(0)
    const woken = `wake one p50 ${median(ones).toFixed(2)}, p99 ${quantile(ones, 0.99).toFixed(2)} ms`
    return {
      what: `${size.toLocaleString('en')} pages: ${labels[name]}`,
      value: `${kib} KiB each; ${woken}; wake all ${all} ms`,
    }
  })
  return { of, lines }
}

const all: Name[] = ['raw', 'ours', 'naive', 'sse']
const few = await compare(1_000, all, 1)
const many = await compare(PAGES, all, ROUNDS)
const most = await compare(MOST_PAGES, ['raw', 'ours'], 1)

/** Returns the median of the ratios within each round, because only measurements from the same time are comparable. */
const times = (figure: 'kib' | 'all') => median(many.of.ours!.map((ours, i) => ours[figure] / many.of.raw![i]![figure]))
const memory = times('kib')
const allWoken = times('all')
const ones = many.of.ours!.flatMap(({ one }) => one)
const rss = most.of.ours![0]!.rss / 2 ** 20

const { asOpened: waiting, spread } = await coresOfWaiting()
const same = await coresOfPolling('ours')
const bare = await coresOfPolling('polled')
const usOf = (cores: number) => (cores * WAIT * 1_000_000) / PAGES
const ratio = (polling: number) =>
  `${waiting.toFixed(3)} and ${polling.toFixed(3)} cores: 1/${(polling / waiting).toFixed(1)}`

report('waiters', [
  ...few.lines,
  ...many.lines,
  ...most.lines,
  {
    what: 'memory per page, relative to bare node:http',
    value: `${memory.toFixed(2)}x`,
    number: memory,
    goal: { text: '1.2x', atMost: 1.2 },
  },
  {
    what: 'wake one of 10,000 pages, p50 / p99',
    value: `${median(ones).toFixed(2)} / ${quantile(ones, 0.99).toFixed(2)} ms`,
    number: quantile(ones, 0.99),
    goal: { text: '1 / 25 ms', atMost: 25 },
  },
  {
    what: 'wake all 10,000 pages, relative to bare node:http',
    value: `${allWoken.toFixed(2)}x`,
    number: allWoken,
    goal: { text: '1.3x', atMost: 1.3 },
  },
  {
    what: '19,000 pages: memory of the process',
    value: `${rss.toFixed(0)} MiB`,
    number: rss,
    goal: { text: '420 MiB', atMost: 420 },
  },
  {
    what: '10,000 pages: CPU of waiting and of polling every second',
    value: ratio(same),
    number: same / waiting,
    goal: { text: '1/8', atLeast: 8 },
  },
  {
    what: '... and of polling a server that reads no token and no store',
    value: ratio(bare),
    number: bare / waiting,
    goal: { text: '1/8', atLeast: 8 },
  },
  {
    what: 'CPU of a page that waits for 25 s',
    value: `${usOf(waiting).toFixed(0)} us`,
    number: usOf(waiting),
    goal: { text: '70 us', atMost: 70 },
  },
  { what: '... spread evenly over the 25 s', value: `${usOf(spread).toFixed(0)} us` },
])
process.exit()
