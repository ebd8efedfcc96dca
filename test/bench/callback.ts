/**
 * Measures callbacks per second of this server and of other libraries (peers), with and without a store:
 * `npm run bench callback`. Also compares this server with the limit (`serve-limit.ts`), a program that does only the
 * work that is necessary for the same answer. The first run installs the peers from npm.
 */
import type { Account } from '../../demo/simulator/account.ts'
import type { WechatMode } from '../../server/wechat/message.ts'
import {
  CONNECTIONS,
  interleave,
  latencies,
  MS,
  openContest,
  type Peers,
  ROUNDS,
  type Rounds,
  toDurable,
  toIdle,
} from './support/contest.ts'
import { startLoad } from './support/load.ts'
import { type Measured, measure, rateLine, shares } from './support/measure.ts'
import { installPeers } from './support/peers.ts'
import { type Line, report } from './support/report.ts'
import { type Served, syncMicros } from './support/served.ts'
import { median, spread } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const SECURE: Peers = {
  idle: ['wechat + connect', 'co-wechat + koa', 'wechat-crypto + express', 'node-easywechat'],
  durable: ['wechat + connect', 'wechat-crypto + express'],
}
const PLAIN: Peers = { idle: ['wechat + connect'], durable: ['wechat + connect'] }

const namesOf = ({ idle, durable }: Peers) => [...idle.map(toIdle), ...durable.map(toDurable)]

installPeers()
const wechat = await startWechatApi()
const load = await startLoad()
report('callback', [...(await secure()), ...(await plain())])
await load.end()
wechat.end()
process.exit()

async function secure(): Promise<Line[]> {
  const contest = await openContest(load, wechat.url, 'secure', SECURE)
  const { account, servers, end } = contest
  const { floor, ours } = servers
  const rounds = await interleave(load, contest)
  const rival = fastest(rounds, SECURE.durable)
  const times = await latencies(load, contest, ours, rounds.ours!)
  const timesOfRival = await latencies(load, contest, servers[rival]!, rounds[rival]!)
  const { other, floors } = await otherMessages(account, floor, ours)
  await end()
  const ofFloor = median(shares(rounds.ours!, rounds.floor!))
  const commits = rounds.ours!.map(({ commitsPer1000 }) => commitsPer1000)
  const otherShare = median(shares(other, floors))
  return [
    rateLine('floor: Hono + node-server, constant answer', rounds.floor!),
    rateLine('secure, wechat-bind, durable', rounds.ours!, rounds.floor!),
    rateLine('secure, the limit: the least work for the same answer', rounds.limit!, rounds.floor!),
    rateLine('secure, the limit with the rows of this server', rounds.limitOfRows!, rounds.floor!),
    ...namesOf(SECURE).map((peer) => rateLine(`secure, ${peer}`, rounds[peer]!, rounds.floor!)),
    {
      what: 'secure, wechat-bind, relative to the floor',
      value: ofFloor.toFixed(2),
      number: ofFloor,
      goal: { text: '0.25', atLeast: 0.25 },
    },
    limitLine(rounds.ours!, rounds.limit!),
    {
      what: 'secure, CPU time of the limit with the rows of this server, relative to the limit',
      value: `${timesOf(rounds.limitOfRows!, rounds.limit!).toFixed(2)}x`,
    },
    raceLine('secure', rounds, rival, 8),
    { what: 'one fdatasync after a write of 4 KiB, p50', value: `${syncMicros().toFixed(0)} us` },
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
  const contest = await openContest(load, wechat.url, 'plain', PLAIN)
  const rounds = await interleave(load, contest)
  await contest.end()
  return [
    rateLine('plain, wechat-bind, durable', rounds.ours!, rounds.floor!),
    ...namesOf(PLAIN).map((peer) => rateLine(`plain, ${peer}`, rounds[peer]!, rounds.floor!)),
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
function fastest(rounds: Rounds, peers: string[]): string {
  const rateOf = (name: string) => median(rounds[name]!.map(({ rate }) => rate))
  return peers.map(toDurable).reduce((best, name) => (rateOf(name) > rateOf(best) ? name : best))
}

function raceLine(mode: WechatMode, rounds: Rounds, rival: string, goal: number): Line {
  const ratio = median(shares(rounds.ours!, rounds[rival]!))
  return {
    what: `${mode}, wechat-bind, relative to ${rival}`,
    value: `${ratio.toFixed(1)}x`,
    number: ratio,
    goal: { text: `${goal}x`, atLeast: goal },
  }
}

/** Compares the CPU time of this server with that of the limit. It includes the threads that sync and copy the log. */
function limitLine(ours: Measured[], limit: Measured[]): Line {
  const ratio = timesOf(ours, limit)
  return {
    what: 'secure, CPU time of a scan, relative to the limit',
    value: `${ratio.toFixed(2)}x (by scans/s ${median(shares(limit, ours)).toFixed(2)}x)`,
    number: ratio,
    goal: { text: '1.5x', atMost: 1.5 },
  }
}

/** Returns the ratio of the CPU times. */
function timesOf(rounds: Measured[], others: Measured[]): number {
  return median(rounds.map(({ cpuUs }, i) => cpuUs / others[i]!.cpuUs))
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
