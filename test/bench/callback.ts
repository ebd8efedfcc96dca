/**
 * Measures callbacks per second of this server and of other libraries (peers), with and without a store:
 * `npm run bench callback`. The first run installs the peers from npm.
 */
import { randomBytes } from 'node:crypto'
import { type Account, createAccount } from '../../demo/simulator/account.ts'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import type { WechatMode } from '../../server/wechat/message.ts'
import { newTicket } from '../support/rows.ts'
import { type Load, startLoad } from './support/load.ts'
import { type Measured, measure, rateLine, shares } from './support/measure.ts'
import { installPeers, serveDurablePeer, servePeer } from './support/peers.ts'
import { type Line, report } from './support/report.ts'
import { sceneOf } from './support/requests.ts'
import { newSqliteEnv, type Served, serve, serveOurs } from './support/served.ts'
import { median, spread } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const ROUNDS = 4
// The first rounds are not measured. V8 still optimizes the code after 10,000 scans.
const WARM_UPS = 2
const MS = 1_200
const CONNECTIONS = 64

// The number of prepared scans. The fastest machine so far needed this number for all rounds.
const SCANS = 130_000

/** The peers that store nothing, and the peers that do the same work as this server. */
type Peers = { idle: string[]; durable: string[] }

const SECURE: Peers = {
  idle: ['wechat + connect', 'co-wechat + koa', 'wechat-crypto + express', 'node-easywechat'],
  durable: ['wechat + connect', 'wechat-crypto + express'],
}
const PLAIN: Peers = { idle: ['wechat + connect'], durable: ['wechat + connect'] }

const toIdle = (peer: string) => `${peer}, stores nothing`
const toDurable = (peer: string) => `${peer} + better-sqlite3`

/**
 * The servers by name. The servers in `storing` need a new scan for each request, because they answer a repeated scan
 * without a write.
 */
type Contest = {
  account: Account
  floor: Served
  ours: Served
  peers: Record<string, Served>
  storing: Set<Served>
  end(): Promise<void>
}

// The number of scans that each storing server has received.
const claimed = new Map<Served, number>()

installPeers()
const wechat = await startWechatApi()
const load = await startLoad()
report('callback', [...(await secure()), ...(await plain())])
await load.end()
wechat.end()
process.exit()

async function secure(): Promise<Line[]> {
  const contest = await open('secure', SECURE)
  const { account, floor, ours, peers, end } = contest
  await load.make({ what: 'scan', account, from: 0, count: SCANS })
  const rounds = await interleave(contest)
  const rival = fastest(rounds, SECURE.durable)
  const times = await latencies(ours, rounds.ours!)
  const timesOfRival = await latencies(peers[rival]!, rounds[rival]!)
  const { other, floors } = await otherMessages(account, floor, ours)
  await end()
  const ofFloor = median(shares(rounds.ours!, rounds.floor!))
  const commits = rounds.ours!.map(({ commitsPer1000 }) => commitsPer1000)
  const otherShare = median(shares(other, floors))
  return [
    rateLine('floor: Hono + node-server, constant answer', rounds.floor!),
    rateLine('secure, wechat-bind, durable', rounds.ours!, rounds.floor!),
    ...Object.keys(peers).map((peer) => rateLine(`secure, ${peer}`, rounds[peer]!, rounds.floor!)),
    {
      what: 'secure, wechat-bind, relative to the floor',
      value: ofFloor.toFixed(2),
      number: ofFloor,
      goal: { text: '0.25', atLeast: 0.25 },
    },
    raceLine('secure', rounds, rival, 8),
    {
      what: `commits per 1,000 callbacks, ${CONNECTIONS} connections`,
      value: `${median(commits).toFixed(0)} ${spread(commits)}`,
      number: median(commits),
      goal: { text: '100', atMost: 100 },
    },
    latencyLine('durable callback', times, 50),
    latencyLine(`durable callback of ${rival}`, timesOfRival),
    {
      what: 'p99 of wechat-bind at half its load, relative to that of the peer',
      value: `${(p99Of(times) / p99Of(timesOfRival)).toFixed(2)}x`,
      number: p99Of(times) / p99Of(timesOfRival),
      goal: { text: '1x', atMost: 1 },
    },
    rateLine('secure, other messages', other, floors),
    {
      what: 'secure, other messages, relative to the floor',
      value: otherShare.toFixed(2),
      number: otherShare,
      goal: { text: '0.40', atLeast: 0.4 },
    },
  ]
}

async function plain(): Promise<Line[]> {
  const contest = await open('plain', PLAIN)
  await load.make({ what: 'scan', account: contest.account, from: 0, count: SCANS })
  const rounds = await interleave(contest)
  await contest.end()
  return [
    rateLine('plain, wechat-bind, durable', rounds.ours!, rounds.floor!),
    ...Object.keys(contest.peers).map((peer) => rateLine(`plain, ${peer}`, rounds[peer]!, rounds.floor!)),
    raceLine('plain', rounds, fastest(rounds, PLAIN.durable), 1),
  ]
}

async function otherMessages(account: Account, floor: Served, ours: Served) {
  await load.make({ what: 'text', account, from: 0, count: 20_000 })
  const [other, floors]: Measured[][] = [[], []]
  for (let i = 0; i <= ROUNDS; i++) {
    const job = { from: 0, count: 20_000, connections: CONNECTIONS, ms: MS }
    const pair = [
      await measure(load, floor, { ...job, expects: { status: 200 } }),
      await measure(load, ours, { ...job, expects: { status: 200, isEmpty: true } }),
    ] as const
    if (i > 0) floors!.push(pair[0])
    if (i > 0) other!.push(pair[1])
  }
  return { other: other!, floors: floors! }
}

/** Returns the fastest of the peers that do the same work. */
function fastest(rounds: Record<string, Measured[]>, peers: string[]): string {
  const rateOf = (name: string) => median(rounds[name]!.map(({ rate }) => rate))
  return peers.map(toDurable).reduce((best, name) => (rateOf(name) > rateOf(best) ? name : best))
}

function raceLine(mode: WechatMode, rounds: Record<string, Measured[]>, rival: string, goal: number): Line {
  const ratio = median(shares(rounds.ours!, rounds[rival]!))
  return {
    what: `${mode}, wechat-bind, relative to ${rival}`,
    value: `${ratio.toFixed(1)}x`,
    number: ratio,
    goal: { text: `${goal}x`, atLeast: goal },
  }
}

function p99Of(times: Measured[]): number {
  return median(times.map(({ p99 }) => p99))
}

function latencyLine(what: string, times: Measured[], p99Goal?: number): Line {
  const line = {
    what: `${what} at half load, p50 / p99`,
    value: `${median(times.map(({ p50 }) => p50)).toFixed(1)} / ${p99Of(times).toFixed(1)} ms`,
  }
  return p99Goal === undefined
    ? line
    : { ...line, number: p99Of(times), goal: { text: `p99 ${p99Goal} ms`, atMost: p99Goal } }
}

async function open(mode: WechatMode, { idle, durable }: Peers): Promise<Contest> {
  const account = createAccount({ mode }, randomBytes)
  const { env, file, remove } = newSqliteEnv(account)
  env.WECHAT_API_BASE = wechat.url
  await fill(file, account)
  const floor = await serve('serve-floor.ts')
  const ours = await serveOurs(env)
  const peers: Record<string, Served> = {}
  for (const name of idle) peers[toIdle(name)] = await servePeer(name, env)
  const storing = new Set([ours])
  for (const [i, name] of durable.entries()) {
    const peer = await serveDurablePeer(name, env, `${file}.peer${i}`, SCANS)
    peers[toDurable(name)] = peer
    storing.add(peer)
  }
  const end = async () => {
    for (const served of [floor, ours, ...Object.values(peers)]) await served.end()
    remove()
  }
  return { account, floor, ours, peers, storing, end }
}

/** Stores a ticket for each scan. */
async function fill(file: string, { appId }: Account): Promise<void> {
  const store = await openSqliteStore({ file, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
  for (let i = 0; i < SCANS; i += 1_000) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 1_000; j++) {
        const code = String(j).padStart(8, '0')
        const long = {
          appId,
          scene: sceneOf(j),
          code,
          label: 'ab***@example.com',
          wechatTicket: `gQH${'x'.repeat(90)}`,
        }
        yield* tx.addTicket({ tenant: 'default', account: 'acme', userId: `u${j}` }, newTicket('', long), false)
      }
    })
  }
  await store.close()
}

/** Measures each server once in each round. The first rounds only warm up the servers. */
async function interleave({ floor, ours, peers, storing }: Contest): Promise<Record<string, Measured[]>> {
  const servers = { floor, ours, ...peers }
  const rounds: Record<string, Measured[]> = Object.fromEntries(Object.keys(servers).map((name) => [name, []]))
  for (let i = 0; i < WARM_UPS + ROUNDS; i++) {
    for (const [name, served] of Object.entries(servers)) {
      const measured = await run(load, served, storing.has(served), MS)
      if (i >= WARM_UPS) rounds[name]!.push(measured)
    }
  }
  return rounds
}

async function run(by: Load, served: Served, isStoring: boolean, ms: number, rate?: number): Promise<Measured> {
  const from = isStoring ? (claimed.get(served) ?? 0) : 0
  const measured = await measure(by, served, {
    from,
    // Uses at most half of the remaining scans, so that enough scans are left for the later rounds.
    count: Math.floor((SCANS - from) / 2),
    connections: CONNECTIONS,
    ms,
    rate,
    expects: { status: 200 },
  })
  claimed.set(served, from + measured.sent)
  if (isStoring && measured.commitsPer1000 === 0) throw new Error('a server that should store bindings stored none')
  return measured
}

/** Measures the latencies at half of the rate that the server reached in the rounds. */
async function latencies(served: Served, rounds: Measured[]): Promise<Measured[]> {
  const rate = median(rounds.map((round) => round.rate)) / 2
  const all: Measured[] = []
  for (let i = 0; i < ROUNDS; i++) all.push(await run(load, served, true, MS * 2, rate))
  return all
}
