/**
 * Failover: `npm run bench failover`, or `node test/bench/failover.ts <rounds>`. Two instances receive 300 callbacks a second, and
 * pages wait at both. In each round the PostgreSQL primary is killed, its synchronous standby is promoted, and the address is
 * switched to it by a TCP proxy. Then the store is compared with every answer, and a new standby is made.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../demo/simulator/account.ts'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { startInstance } from '../support/instance.ts'
import { query } from '../support/postgres.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'
import { type PostgresNode, startCluster } from './failover/cluster.ts'
import { openPages } from './failover/pages.ts'
import { addUsers, createStories, verify } from './failover/stories.ts'
import { createWechat, type Outcome } from './failover/wechat.ts'
import { report } from './support/report.ts'
import { median } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const ROUNDS = Number(process.argv[2] ?? 20)
const PER_SECOND = Number(process.env.PER_SECOND ?? 300)
const PAGES = Number(process.env.PAGES ?? 100)
const BEFORE_MS = 3_000
// Before the first failure, the instances have compiled their code.
const WARM_UP_MS = 10_000
const GOAL_MS = 10_000
// A round ends after 40 s at most. A user without a ticket would make a scan look lost.
const USERS_PER_ROUND = 60 * PER_SECOND
// How long the standby is promoted after the failure: a cluster manager needs some seconds to notice it.
const NOTICED_AFTER_MS = 2_000

/**
 * What the instances see of the failure. `closed`: the connections are closed. `silent`: packets get no answer any more, as if the
 * machine had lost its power. `early`: the address is switched before the standby is promoted, so it refuses writes. `divided`: the
 * old primary stays reachable on the present connections, and is killed at the end of the round.
 */
const FAILURES = ['closed', 'silent', 'early', 'divided'] as const

type Round = {
  failure: (typeof FAILURES)[number]
  outageMs: number
  /** From the switch: the first answer 200, the last failed try, the pages that were told. */
  firstMs: number
  lastFailureMs: number
  pagesMs: number[]
  /** From the answer to WeChat to the answer to the page. */
  wakeMs: number[]
  slowestMs: number
  givenUp: number
  answered: number
  lost: string[]
  twice: string[]
}

const account = createAccount({}, randomBytes)
const cluster = await startCluster()
const proxy = await openTcpProxy(cluster.primary.port)
const DATABASE_URL = Object.assign(new URL(cluster.primary.url), { port: String(proxy.port) }).href
await (
  await openPostgresStore({ url: DATABASE_URL, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
).close()
const wechatApi = await startWechatApi()
const env = { DATABASE_URL, WECHAT_API_BASE: wechatApi.url }
const instances = [await startInstance(account, env), await startInstance(account, env)]
const wechat = createWechat(
  account,
  instances.map(({ url }) => url),
)

/** Primaries that a failover has replaced, and that still have files. */
const former: PostgresNode[] = []
process.on('exit', () => instances.forEach(({ child }) => void child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const rounds: Round[] = []
for (let i = 0; i < ROUNDS; i++) {
  const round = await runRound(i, FAILURES[i % FAILURES.length]!)
  rounds.push(round)
  print(i, round)
}

async function runRound(number: number, failure: Round['failure']): Promise<Round> {
  const [prefix, pagePrefix] = [`r${number}u`, `r${number}p`]
  await addUsers(cluster.primary.url, prefix, USERS_PER_ROUND, account.appId)
  await addUsers(cluster.primary.url, pagePrefix, PAGES, account.appId)
  let users = 0
  const ending = new AbortController()
  const traffic = wechat.run(
    PER_SECOND,
    createStories(() => `${prefix}${users++}`),
    ending.signal,
  )
  const waiting = Array.from({ length: PAGES }, (_, i) => `${pagePrefix}${i}`)
  const pages = await openPages(instances, waiting)
  await delay(number === 0 ? WARM_UP_MS : BEFORE_MS)

  const failedAt = performance.now()
  const switchedAt = await failOver(failure)

  // Half of the users scan at the switch, and the others 4 s later. Each scan arrives first at the instance where the page does not wait.
  const scans = waiting.map(async (user, i) => {
    if (i % 4 > 1) await delay(4_000)
    return wechat.deliver({ user, openid: `o-${user}`, event: 'SCAN' }, i + 1)
  })
  const told = await Promise.race([pages.told, delay(GOAL_MS * 3).then(() => [])])
  await delay(Math.max(0, switchedAt + GOAL_MS - performance.now()))
  ending.abort()
  const outcomes = [...(await traffic), ...(await Promise.all(scans))]
  pages.end()
  for (const node of former.splice(0)) {
    cluster.kill(node)
    cluster.discard(node)
  }
  const verdicts = [
    await verify(cluster.primary.url, prefix, outcomes.slice(0, -PAGES)),
    await verify(cluster.primary.url, pagePrefix, outcomes.slice(-PAGES)),
  ]
  await cluster.addStandby()

  const tries = outcomes.flatMap((outcome) => outcome.tries)
  const after = (times: number[]) => times.filter((at) => at > switchedAt).map((at) => at - switchedAt)
  const ends = (isGood: boolean) =>
    after(tries.filter(({ status }) => (status === 200) === isGood).map(({ at, ms }) => at + ms))
  return {
    failure,
    outageMs: switchedAt - failedAt,
    firstMs: Math.min(...ends(true)),
    lastFailureMs: Math.max(0, ...ends(false)),
    pagesMs: told.length === 0 ? [Number.POSITIVE_INFINITY] : told.map((at) => at - switchedAt),
    wakeMs: told.map((at, i) => Math.max(0, at - outcomes.at(i - PAGES)!.answeredAt)),
    slowestMs: Math.max(...tries.map(({ ms }) => ms)),
    givenUp: outcomes.filter(({ reply }: Outcome) => reply === undefined).length,
    answered: verdicts[0]!.answered + verdicts[1]!.answered,
    lost: verdicts.flatMap(({ lost }) => lost),
    twice: verdicts.flatMap(({ twice }) => twice),
  }
}

/** Resolves with the time at which the address leads to a primary again. */
async function failOver(failure: Round['failure']): Promise<number> {
  const { primary, standby } = cluster
  if (failure === 'silent') proxy.stall()
  if (failure === 'silent') proxy.redirect(undefined)
  if (failure !== 'divided') cluster.kill(primary)
  if (failure === 'early') proxy.redirect(standby.port)
  await delay(NOTICED_AFTER_MS)
  former.push(await cluster.promote())
  proxy.redirect(standby.port)
  return performance.now()
}

function print(number: number, round: Round): void {
  const seconds = (ms: number) => (ms / 1000).toFixed(2).padStart(6)
  if (number === 0) {
    console.log('seconds after the switch; the outage is the time from the failure to the switch')
    console.log(
      'round failure  outage  first  last failure  pages p50    max  slowest  given up  answered  lost  twice',
    )
  }
  const { failure, outageMs, firstMs, lastFailureMs, pagesMs, slowestMs, givenUp, answered, lost, twice } = round
  console.log(
    [
      String(number + 1).padStart(5),
      failure.padEnd(7),
      seconds(outageMs),
      seconds(firstMs),
      seconds(lastFailureMs).padStart(13),
      seconds(median(pagesMs)).padStart(10),
      seconds(Math.max(...pagesMs)),
      seconds(slowestMs).padStart(8),
      String(givenUp).padStart(9),
      String(answered).padStart(9),
      String(lost.length).padStart(5),
      String(twice.length).padStart(6),
    ].join(' '),
  )
  for (const what of [...lost.slice(0, 5), ...twice.slice(0, 5)]) console.log(`      ${what}`)
}

const worst = (of: (round: Round) => number) => Math.max(...rounds.map(of))
const both = (of: (round: Round) => number) =>
  `${(median(rounds.map(of)) / 1000).toFixed(2)} / ${(worst(of) / 1000).toFixed(2)} s`
const lost = rounds.flatMap((round) => round.lost).length
const twice = rounds.flatMap((round) => round.twice).length
const restarts = instances.filter(({ child }) => child.exitCode !== null || child.signalCode !== null).length
const pagesOf = ({ pagesMs }: Round) => Math.max(...pagesMs)
const answered = rounds.reduce((sum, round) => sum + round.answered, 0)
const [{ count = 0 } = {}] = await query<{ count: number }>(cluster.primary.url, 'select count(*)::int from bindings')

const none = (number: number) => ({ number, goal: { text: '0', atMost: 0 } })
report('failover', [
  { what: `${rounds.length} rounds: callbacks answered, bindings in the store`, value: `${answered}, ${count}` },
  { what: 'answered callbacks that the store does not have', value: String(lost), ...none(lost) },
  { what: 'bound twice, events twice, versions that do not rise', value: String(twice), ...none(twice) },
  { what: 'instances that ended', value: String(restarts), ...none(restarts) },
  {
    what: 'from the switch to the last page that was told, median / worst round',
    value: both(pagesOf),
    number: worst(pagesOf),
    goal: { text: '10 s', atMost: GOAL_MS },
  },
  {
    what: 'from the answer to WeChat to the page, median / worst round',
    value: both(({ wakeMs }) => Math.max(...wakeMs)),
  },
  { what: 'from the switch to the first callback answered 200', value: both(({ firstMs }) => firstMs) },
  { what: 'from the switch to the last callback that failed', value: both(({ lastFailureMs }) => lastFailureMs) },
  {
    what: 'slowest answer to a callback',
    value: both(({ slowestMs }) => slowestMs),
    number: worst(({ slowestMs }) => slowestMs),
    goal: { text: '5 s', atMost: 5_000 },
  },
])

wechat.end()
await Promise.all(instances.map((instance) => instance.end('SIGKILL')))
proxy.close()
wechatApi.end()
await cluster.remove()
process.exit(lost + twice + restarts > 0 || worst(pagesOf) > GOAL_MS ? 1 : 0)
