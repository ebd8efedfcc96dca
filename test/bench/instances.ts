/**
 * The CPU time of a request with one, two and four instances over one PostgreSQL: `npm run bench instances`. It is measured apart for
 * the instances and for PostgreSQL. The rate of the requests is the same for each number of instances, because at a lower rate fewer
 * scans share a commit. Linux only.
 * `node test/bench/instances.ts 1` measures one round instead of five.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../demo/simulator/account.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { query, startPostgres, withDatabase } from '../support/postgres.ts'
import { toRequest, withWait } from './long-poll/contender.ts'
import { openCrowd, type Page } from './long-poll/crowd.ts'
import { fillTickets } from './support/big.ts'
import { startLoad } from './support/load.ts'
import { cpuUsWithChildren, findPostmaster } from './support/process-usage.ts'
import { type Line, report, round } from './support/report.ts'
import { newUserToken, type Recipe } from './support/requests.ts'
import { type Served, serveOurs, toEnv } from './support/served.ts'
import { median } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const INSTANCES = [1, 2, 4]
const ROUNDS = Number(process.argv[2] ?? 5)
const REQUESTS = 800
const RATE = 200
// On a busy machine an answer may take longer than the server's limits. Such a measurement is made again, at most this often.
const MAX_REPEATS = 10
const CONNECTIONS = 64
// V8 optimizes the code of each instance during its first thousands of requests.
const WARM_UP_AN_INSTANCE = 2_000
// A short wait makes many renewals of few pages.
const PAGES = 400
const WAIT_S = 1
const RENEWING_MS = 4_000

/** `scan to one`: WeChat's callbacks all go to the first instance. `scan, page`: a page waits at one of the instances for each scan. */
const kinds = ['scan', 'scan to one', 'scan, full load', 'scan, page', 'poll', 'renewal', 'GetBindInfo'] as const
type Kind = (typeof kinds)[number]

/** CPU time in us, and commits of the instances, for each request. */
type Cost = { servers: number; postgres: number; commits: number }
type Group = { servers: Served[]; nextScan: number; costs: Record<Kind, Cost[]> }

const userOf = (i: number) => `u${i}`

const account = createAccount({}, randomBytes)
const wechat = await startWechatApi()
const load = await startLoad()
const postgres = await startPostgres({ isDurable: true })
const postmaster = await findPostmaster(postgres.url)
const groups = await startGroups()
let repeats = 0

for (const group of groups) await warmUp(group)
for (let i = 0; i < ROUNDS; i++) {
  for (const kind of kinds)
    for (const group of groups) group.costs[kind].push(await measureWithoutFailures(group, kind))
  groups.reverse()
}
groups.sort((a, b) => a.servers.length - b.servers.length)
report('instances', kinds.map(toLine))

for (const { servers } of groups) await Promise.all(servers.map((server) => server.end()))
await load.end()
wechat.end()
await postgres.remove()
process.exit()

/** Each group has a database of its own, so that it gets the notifications of its own instances only. */
async function startGroups(): Promise<Group[]> {
  const template = await postgres.newDatabase()
  const scans = Math.max(...INSTANCES) * WARM_UP_AN_INSTANCE + (4 * ROUNDS + MAX_REPEATS) * REQUESTS
  await (
    await openPostgresStore({ url: template, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
  ).close()
  await fillTickets(template, account.appId, scans)
  const started: Group[] = []
  for (const count of INSTANCES) {
    const name = `instances${count}`
    await query(postgres.url, `create database ${name} template ${new URL(template).pathname.slice(1)}`)
    const env = { ...toEnv(account, withDatabase(template, name)), WECHAT_API_BASE: wechat.url }
    const servers = await Promise.all(Array.from({ length: count }, () => serveOurs(env)))
    const costs = Object.fromEntries(kinds.map((kind) => [kind, [] as Cost[]])) as Group['costs']
    started.push({ servers, nextScan: 0, costs })
  }
  return started
}

async function warmUp(group: Group): Promise<void> {
  const count = group.servers.length * WARM_UP_AN_INSTANCE
  await send(group, nextScans(group, count), {})
  for (const what of ['poll', 'GetBindInfo'] as const) await send(group, { what, from: 0, count, users: count }, {})
}

function nextScans(group: Group, count: number): Recipe {
  const recipe: Recipe = { what: 'scan', account, from: group.nextScan, count }
  group.nextScan += count
  return recipe
}

/** Makes the requests before `begin`, and sends them after it. Returns the number of failed requests. */
async function send(
  { servers }: Group,
  recipe: Recipe,
  { rate, isToOne = false, begin }: { rate?: number; isToOne?: boolean; begin?: () => Promise<void> },
): Promise<number> {
  await load.make(recipe)
  await begin?.()
  const { count } = recipe
  const urls = (isToOne ? servers.slice(0, 1) : servers).map(({ url }) => url)
  const job = { urls, from: 0, count, connections: CONNECTIONS, ms: 60_000, rate, expects: { status: 200 } }
  const { sent, wrong } = await load.run(job)
  return count - sent + wrong
}

async function usageOf({ servers }: Group): Promise<Cost> {
  const usages = await Promise.all(servers.map((server) => server.usage()))
  const sum = (name: 'cpuUs' | 'commits') => usages.reduce((all, usage) => all + usage[name], 0)
  return { servers: sum('cpuUs'), postgres: cpuUsWithChildren(postmaster), commits: sum('commits') }
}

async function measureWithoutFailures(group: Group, kind: Kind): Promise<Cost> {
  for (;;) {
    const cost = await measure(group, kind)
    if (cost) return cost
    if (++repeats > MAX_REPEATS) throw new Error('too many requests failed: the machine is too busy for this benchmark')
  }
}

/** Returns undefined if a request has failed. */
async function measure(group: Group, kind: Kind): Promise<Cost | undefined> {
  let before = await usageOf(group)
  const begin = async () => {
    before = await usageOf(group)
  }
  const count = kind === 'renewal' ? await renew(group, begin) : await sendAll(group, kind, begin)
  if (count === undefined) return undefined
  const after = await usageOf(group)
  return {
    servers: (after.servers - before.servers) / count,
    postgres: (after.postgres - before.postgres) / count,
    commits: (after.commits - before.commits) / count,
  }
}

/** Returns the number of requests, or undefined if one has failed. */
async function sendAll(
  group: Group,
  kind: Exclude<Kind, 'renewal'>,
  begin: () => Promise<void>,
): Promise<number | undefined> {
  const count = REQUESTS
  if (kind === 'poll' || kind === 'GetBindInfo') {
    const failed = await send(group, { what: kind, from: 0, count, users: count }, { rate: RATE, begin })
    return failed === 0 ? count : undefined
  }
  const first = group.nextScan
  const recipe = nextScans(group, count)
  const users = kind === 'scan, page' ? Array.from({ length: count }, (_, i) => userOf(first + i)) : []
  const pages = await openPages(group, users, 25)
  while ((await countWaiting(group)) < pages.length) await delay(10)
  const rate = kind === 'scan, full load' ? {} : { rate: RATE }
  const failed = await send(group, recipe, { begin, isToOne: kind === 'scan to one', ...rate })
  if (failed === 0) await Promise.all(pages.map(({ isBound }) => isBound))
  for (const { socket } of pages) socket.destroy()
  return failed === 0 ? count : undefined
}

/** Pages whose users do not scan. Returns the number of waits that have ended. */
async function renew(group: Group, begin: () => Promise<void>): Promise<number> {
  const users = Array.from({ length: PAGES }, (_, i) => `waiting${i}`)
  const pages = await openPages(group, users, WAIT_S)
  // Until then each page has begun its second wait.
  await delay(2 * WAIT_S * 1000)
  const renewals = () => pages.reduce((sum, page) => sum + page.renewals, 0)
  await begin()
  const earlier = renewals()
  await delay(RENEWING_MS)
  for (const { socket } of pages) socket.destroy()
  return renewals() - earlier
}

async function countWaiting({ servers }: Group): Promise<number> {
  const counts = servers.map(async ({ url }) => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return Number(/^wechat_bind_waiters (\d+)$/m.exec(text)?.[1])
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

/** `renewals`: the waits that have ended without a change. The page then waits again. */
type WaitingPage = Pick<Page, 'socket'> & { isBound: Promise<void>; renewals: number }

/** Opens a page for each user, in turn at each instance. */
async function openPages({ servers }: Group, users: string[], waitS: number): Promise<WaitingPage[]> {
  const opened: WaitingPage[] = []
  for (const [s, { url }] of servers.entries()) {
    const ofServer = users.filter((_, i) => i % servers.length === s)
    await openCrowd(Number(new URL(url).port), ofServer.length, async (pages, first) => {
      for (const [i, page] of pages.entries()) {
        const token = await newUserToken(ofServer[first + i]!)
        opened.push(startWaiting(page, withWait(toRequest('/widget/binding', token), waitS)))
      }
    })
  }
  return opened
}

function startWaiting(page: Page, request: string): WaitingPage {
  const { promise: isBound, resolve } = Promise.withResolvers<void>()
  const waiting = { socket: page.socket, isBound, renewals: 0 }
  page.onAnswer = (answer) => {
    if (answer.startsWith('HTTP/1.1 200')) return resolve()
    waiting.renewals++
    page.send(request)
  }
  page.send(request)
  return waiting
}

function toLine(kind: Kind): Line {
  const of = (group: Group, name: keyof Cost) => median(group.costs[kind].map((cost) => cost[name]))
  const each = (name: keyof Cost) => groups.map((group) => round(of(group, name))).join(' / ')
  const hasCommits = kind.startsWith('scan')
  const commits = hasCommits
    ? `, ${groups.map((group) => round(1000 * of(group, 'commits'))).join(' / ')} commits per 1,000`
    : ''
  return {
    what: `${kind}, with ${INSTANCES.join(' / ')} instances`,
    value: `instances ${each('servers')} us, PostgreSQL ${each('postgres')} us${commits}`,
  }
}
