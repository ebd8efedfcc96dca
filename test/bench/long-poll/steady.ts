/** Measures the complete server on a database file, with waiting pages and a constant rate of callbacks. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../../demo/simulator/account.ts'
import { type Instance, sealScan, startInstance } from '../../support/instance.ts'
import { seedTickets } from '../../support/rows.ts'
import { quantile } from '../support/statistics.ts'
import { toRequest } from './contender.ts'
import { openCrowd } from './crowd.ts'
import { startProbe } from './probe.ts'

const TICK_MS = 10

const account = createAccount({}, randomBytes)

export async function runSteadily(pages: number, perSecond: number, seconds: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-steady-'))
  const DATABASE_URL = `sqlite:${join(folder, 'bind.db')}`
  await seedTickets(DATABASE_URL, account.appId, perSecond * seconds)
  // The server is not bound to one core, so that V8's garbage collector runs in parallel with the event loop, as in
  // production.
  const instance = await startInstance(account, { DATABASE_URL, MAX_WAITERS_TENANT: '20000' })
  try {
    await openWaitingPages(instance, pages)
    return await load(instance, perSecond, seconds)
  } finally {
    await instance.end('SIGKILL')
    rmSync(folder, { recursive: true })
  }
}

/** Opens pages whose users do not scan. These pages wait, and poll again after each answer. */
async function openWaitingPages({ url, client }: Instance, size: number): Promise<void> {
  await openCrowd(Number(new URL(url).port), size, async (pages, first) => {
    for (const [i, page] of pages.entries()) {
      const token = await client.mintToken({ account: 'acme', userId: `waiting${first + i}`, ttlSeconds: 3600 })
      const text = toRequest('/widget/binding', token)
      page.onAnswer = () => page.send(text)
      page.send(text)
    }
  })
}

async function load(instance: Instance, perSecond: number, seconds: number): Promise<boolean> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const scans: number[] = []
  const rss: number[] = []
  let failed = 0
  let next = 0
  const cpuBefore = await metric(instance, 'process_cpu_seconds_total')
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt

  const probe = startProbe(instance.url)
  const sampling = setInterval(async () => rss.push(await metric(instance, 'process_resident_memory_bytes')), 5_000)

  for (let due = 0; elapsed() < seconds * 1000; await delay(TICK_MS)) {
    due = Math.floor((elapsed() / 1000) * perSecond)
    while (next < due && next < perSecond * seconds) {
      scan(instance, agent, next++).then(
        (ms) => scans.push(ms),
        () => failed++,
      )
    }
  }
  clearInterval(sampling)
  const probes = await probe.end()
  const cores = ((await metric(instance, 'process_cpu_seconds_total')) - cpuBefore) / seconds
  await delay(500)

  console.log(`  the server used ${cores.toFixed(2)} cores`)
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(0)
  const halves = [rss.slice(0, rss.length / 2), rss.slice(rss.length / 2)].map((half) => Math.max(...half))
  const slowest = Math.max(...probes)
  console.log(
    `  callbacks: ${scans.length} answered, ${failed} failed; p50 ${quantile(scans, 0.5).toFixed(1)} ms, p99 ${quantile(scans, 0.99).toFixed(1)} ms`,
  )
  console.log(
    `  /healthz: p50 ${quantile(probes, 0.5).toFixed(1)} ms, p99 ${quantile(probes, 0.99).toFixed(1)} ms, slowest ${slowest.toFixed(0)} ms`,
  )
  console.log(
    `  memory (MiB), every 5 s: ${rss.map(mib).join(' ')}; maximum of each half: ${halves.map((bytes) => mib(bytes!)).join(' and ')}`,
  )
  return failed === 0 && slowest < 100 && halves[1]! < halves[0]! * 1.1
}

async function metric({ url }: Instance, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

/** Sends a scan. Resolves with the response time in ms. */
function scan({ url }: Instance, agent: Agent, user: number): Promise<number> {
  const { query, body } = sealScan(account, { openid: `oBench${user}`, scene: `wb1_u${user}` })
  const sentAt = performance.now()
  return new Promise((resolve, reject) => {
    request(`${url}/wechat/callback?${query}`, { method: 'POST', agent }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - sentAt)
        else reject(new Error(`HTTP ${response.statusCode}`))
      })
    })
      .on('error', reject)
      .end(body)
  })
}
