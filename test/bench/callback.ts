/**
 * Callbacks per second, of this server and of other libraries (peers): `npm run bench callback`. The first run installs the
 * peers from npm.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, createAccount } from '../../demo/simulator/account.ts'
import { openSqliteStore } from '../../server/store/sqlite/sqlite-store.ts'
import type { WechatMode } from '../../server/wechat/message.ts'
import { newTicket } from '../support/rows.ts'
import { type Load, startLoad } from './support/load.ts'
import { type Measured, measure, rateLine, shares } from './support/measure.ts'
import { type Line, report } from './support/report.ts'
import { sceneOf } from './support/requests.ts'
import { newSqliteEnv, type Served, serve, serveOurs } from './support/served.ts'
import { median, spread } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const ROUNDS = 4
// V8 still optimizes after 10,000 scans.
const WARM_UPS = 2
const MS = 1_200
const CONNECTIONS = 64

// The number of scans that the fastest machine so far sends in all rounds.
const SCANS = 130_000

const PEERS = ['wechat + connect', 'co-wechat + koa', 'wechat-crypto + express', 'node-easywechat']

// The number of tickets claimed so far.
let claimed = 0

installPeers()
const wechat = await startWechatApi()
const load = await startLoad()
report('callback', [...(await secure()), ...(await plain())])
await load.end()
wechat.end()
process.exit()

async function secure(): Promise<Line[]> {
  const { account, floor, ours, peers, end } = await open('secure', PEERS)
  await load.make({ what: 'scan', account, from: 0, count: SCANS })
  const rounds = await interleave({ floor, ours, ...peers })
  const times = await latencies(ours, median(rounds.ours!.map(({ rate }) => rate)) / 2)
  await load.make({ what: 'text', account, from: 0, count: 20_000 })
  const other: Measured[] = []
  const floors: Measured[] = []
  for (let i = 0; i <= ROUNDS; i++) {
    const job = { from: 0, count: 20_000, connections: CONNECTIONS, ms: MS }
    const pair = [
      await measure(load, floor, { ...job, expects: { status: 200 } }),
      await measure(load, ours, { ...job, expects: { status: 200, isEmpty: true } }),
    ] as const
    if (i > 0) floors.push(pair[0])
    if (i > 0) other.push(pair[1])
  }
  await end()
  const ofFloor = median(shares(rounds.ours!, rounds.floor!))
  const ofPeer = median(shares(rounds.ours!, rounds[PEERS[0]!]!))
  const commits = rounds.ours!.map(({ commitsPer1000 }) => commitsPer1000)
  const otherShare = median(shares(other, floors))
  return [
    rateLine('floor: Hono + node-server, constant answer', rounds.floor!),
    rateLine('secure, wechat-bind, durable', rounds.ours!, rounds.floor!),
    ...PEERS.map((peer) => rateLine(`secure, ${peer}, stores nothing`, rounds[peer]!, rounds.floor!)),
    {
      what: 'secure, wechat-bind, relative to the floor',
      value: ofFloor.toFixed(2),
      number: ofFloor,
      goal: { text: '0.25', atLeast: 0.25 },
    },
    {
      what: 'secure, wechat-bind, relative to `wechat` + connect',
      value: `${ofPeer.toFixed(1)}x`,
      number: ofPeer,
      goal: { text: '3x', atLeast: 3 },
    },
    {
      what: `commits per 1,000 callbacks, ${CONNECTIONS} connections`,
      value: `${median(commits).toFixed(0)} ${spread(commits)}`,
      number: median(commits),
      goal: { text: '100', atMost: 100 },
    },
    {
      what: 'durable callback at half load, p50 / p99',
      value: `${median(times.map(({ p50 }) => p50)).toFixed(1)} / ${median(times.map(({ p99 }) => p99)).toFixed(1)} ms`,
      number: median(times.map(({ p99 }) => p99)),
      goal: { text: 'p99 50 ms', atMost: 50 },
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
  const { account, floor, ours, peers, end } = await open('plain', PEERS.slice(0, 1))
  await load.make({ what: 'scan', account, from: 0, count: SCANS })
  const rounds = await interleave({ floor, ours, ...peers })
  await end()
  return [
    rateLine('plain, wechat-bind, durable', rounds.ours!, rounds.floor!),
    rateLine(`plain, ${PEERS[0]}, stores nothing`, rounds[PEERS[0]!]!, rounds.floor!),
  ]
}

async function open(mode: WechatMode, names: string[]) {
  const account = createAccount({ mode }, randomBytes)
  const { env, file, remove } = newSqliteEnv(account)
  env.WECHAT_API_BASE = wechat.url
  await fill(file, account)
  const floor = await serve('serve-floor.ts')
  const ours = await serveOurs(env)
  const peers: Record<string, Served> = {}
  for (const name of names) peers[name] = await serve('../peers/serve.mjs', env, [], [name])
  const end = async () => {
    for (const served of [floor, ours, ...Object.values(peers)]) await served.end()
    remove()
  }
  return { account, floor, ours, peers, end }
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

/**
 * Measures the servers in turn, round after round. The first rounds warm up. Only this server needs new messages, because it
 * answers a repeated scan without a write.
 */
async function interleave(servers: Record<string, Served>): Promise<Record<string, Measured[]>> {
  claimed = 0
  const rounds: Record<string, Measured[]> = Object.fromEntries(Object.keys(servers).map((name) => [name, []]))
  for (let i = 0; i < WARM_UPS + ROUNDS; i++) {
    for (const [name, served] of Object.entries(servers)) {
      const from = name === 'ours' ? claimed : 0
      const measured = await run(load, served, from, MS)
      if (name === 'ours') claimed += measured.sent
      if (i >= WARM_UPS) rounds[name]!.push(measured)
    }
  }
  return rounds
}

function run(by: Load, served: Served, from: number, ms: number, rate?: number): Promise<Measured> {
  return measure(by, served, {
    from,
    // At most half of the remaining scans, so that some are left for the later rounds.
    count: Math.floor((SCANS - from) / 2),
    connections: CONNECTIONS,
    ms,
    rate,
    expects: { status: 200 },
  })
}

/** The latencies at a fixed rate of requests. */
async function latencies(ours: Served, rate: number): Promise<Measured[]> {
  const all: Measured[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const measured = await run(load, ours, claimed, MS * 2, rate)
    claimed += measured.sent
    all.push(measured)
  }
  return all
}

/** The peers are a separate package, so that an install of the project does not include them. */
function installPeers(): void {
  const cwd = join(import.meta.dirname, 'peers')
  if (existsSync(join(cwd, 'node_modules'))) return
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd, stdio: 'inherit' })
  if (status !== 0) throw new Error('The peers could not be installed: npm ci in test/bench/peers needs the registry.')
}
