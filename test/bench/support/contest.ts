/** Measures the servers that `callback.ts` compares: the floor, the limit, this server and the peers. */
import { randomBytes } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { type Account, createAccount } from '../../../demo/simulator/account.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { WechatMode } from '../../../server/wechat/message.ts'
import { nodeFlags } from '../../support/instance.ts'
import { newTicket } from '../../support/rows.ts'
import type { Load } from './load.ts'
import { type Measured, measure } from './measure.ts'
import { serveDurablePeer, servePeer } from './peers.ts'
import { sceneOf } from './requests.ts'
import { newSqliteEnv, type Served, serve, serveOurs } from './served.ts'
import { median } from './statistics.ts'

export const ROUNDS = 4
// The first rounds are not measured. V8 still optimizes the code after 10,000 scans.
const WARM_UPS = 2
export const MS = 1_200
export const CONNECTIONS = 64

// The number of prepared scans. The fastest machine so far needed this number for all rounds.
const SCANS = 130_000

/** The peers that store nothing, and the peers that do the same work as this server. */
export type Peers = { idle: string[]; durable: string[] }

export const toIdle = (peer: string) => `${peer}, stores nothing`
export const toDurable = (peer: string) => `${peer} + better-sqlite3`

export type Rounds = Record<string, Measured[]>

/**
 * The servers by name. `limit` and `limitOfRows` exist only in secure mode. `limitOfRows` is the limit with the rows of
 * this server.
 */
export type Contest = {
  account: Account
  servers: Record<string, Served> & { floor: Served; ours: Served }
  /** These servers need a new scan for each request, because they answer a repeated scan without a write. */
  storing: Set<Served>
  /** The number of scans that each of these servers has received. */
  claimed: Map<Served, number>
  end(): Promise<void>
}

/** `wechatUrl` is the URL of the fake of WeChat's API. */
export async function openContest(
  load: Load,
  wechatUrl: string,
  mode: WechatMode,
  { idle, durable }: Peers,
): Promise<Contest> {
  const account = createAccount({ mode }, randomBytes)
  const { env, file, remove } = newSqliteEnv(account)
  env.WECHAT_API_BASE = wechatUrl
  await fill(file, account)
  if (mode === 'secure') copyFileSync(file, `${file}.rows`)
  const floor = await serve('serve-floor.ts')
  const ours = await serveOurs(env)
  const servers: Contest['servers'] = { floor, ours }
  const storing = new Set([ours])
  if (mode === 'secure') {
    servers.limit = await serve('serve-limit.ts', env, nodeFlags, [`${file}.limit`])
    servers.limitOfRows = await serve('serve-limit.ts', env, nodeFlags, [`${file}.rows`, 'all'])
    storing.add(servers.limit).add(servers.limitOfRows)
  }
  for (const name of idle) servers[toIdle(name)] = await servePeer(name, env)
  for (const [i, name] of durable.entries()) {
    const peer = await serveDurablePeer(name, env, `${file}.peer${i}`, SCANS)
    servers[toDurable(name)] = peer
    storing.add(peer)
  }
  await load.make({ what: 'scan', account, from: 0, count: SCANS })
  const end = async () => {
    for (const served of Object.values(servers)) await served.end()
    remove()
  }
  return { account, servers, storing, claimed: new Map(), end }
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
export async function interleave(load: Load, contest: Contest): Promise<Rounds> {
  const rounds: Rounds = Object.fromEntries(Object.keys(contest.servers).map((name) => [name, []]))
  for (let i = 0; i < WARM_UPS + ROUNDS; i++) {
    for (const [name, served] of Object.entries(contest.servers)) {
      const measured = await run(load, contest, served, MS)
      if (i >= WARM_UPS) rounds[name]!.push(measured)
    }
  }
  return rounds
}

async function run(by: Load, contest: Contest, served: Served, ms: number, rate?: number): Promise<Measured> {
  const { storing, claimed } = contest
  const isStoring = storing.has(served)
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
export async function latencies(by: Load, contest: Contest, served: Served, rounds: Measured[]): Promise<Measured[]> {
  const rate = median(rounds.map((round) => round.rate)) / 2
  const all: Measured[] = []
  for (let i = 0; i < ROUNDS; i++) all.push(await run(by, contest, served, MS * 2, rate))
  return all
}
