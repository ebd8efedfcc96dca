/**
 * Measures the lag of webhooks on SQLite and on PostgreSQL: `npm run bench webhooks`. 50 receivers get 2,000 changes a minute, and 3
 * of them never answer. BENCH_SECONDS changes the duration (60).
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../demo/simulator/account.ts'
import type { WebhookPayload } from '../../server/wire.ts'
import { deliverScan, type Instance, startInstance } from '../support/instance.ts'
import { startPostgres } from '../support/postgres.ts'
import { seedTickets } from '../support/rows.ts'
import { type Line, report, round } from './support/report.ts'
import { quantile } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const RECEIVERS = 50
const HANGING = 3
// A binding causes two events: one for the binding and one for its unionid. Therefore 667 bindings and 667 unbindings a
// minute make 2,000 changes a minute.
const ACTIONS_PER_SECOND = ((2_000 / 60) * 2) / 3
const SECONDS = Number(process.env.BENCH_SECONDS ?? 60)
// The bench unbinds a user after this number of further changes.
const UNBIND_AFTER = 40

const account = createAccount({}, randomBytes)
const secret = `whsec_${randomBytes(32).toString('base64')}`
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-webhooks-'))

/** One server is the endpoint of all receivers. The path contains the number of the receiver. */
async function startReceivers() {
  const lags: number[] = []
  /** The versions of each user that a receiver got, by receiver. */
  const versions = new Map<string, number[]>()
  const server = createServer((request, response) => {
    const receiver = Number(request.url?.slice(1))
    if (receiver < HANGING) return
    const chunks: Buffer[] = []
    request
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => {
        const { timestamp, data } = JSON.parse(Buffer.concat(chunks).toString()) as WebhookPayload
        lags.push(Date.now() - Date.parse(timestamp))
        const key = `${receiver} ${data.User_ID}`
        versions.set(key, [...(versions.get(key) ?? []), data.Version])
        response.writeHead(204).end()
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lags,
    versions,
    end() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function metric({ url }: Instance, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function measure(engine: string, databaseUrl: string): Promise<Line[]> {
  const changes = Math.round(ACTIONS_PER_SECOND * SECONDS)
  await seedTickets(databaseUrl, account.appId, changes)
  const [receivers, wechat] = [await startReceivers(), await startWechatApi()]
  const file = join(folder, `${engine}.json`)
  const entries = Array.from({ length: RECEIVERS }, (_, i) => ({
    name: `receiver${i}`,
    url: `${receivers.url}/${i}`,
    secrets: [secret],
  }))
  writeFileSync(file, JSON.stringify(entries))
  const instance = await startInstance(account, {
    DATABASE_URL: databaseUrl,
    WECHAT_API_BASE: wechat.url,
    WEBHOOKS_FILE: file,
  })
  const scans: number[] = []
  const cpuBefore = await metric(instance, 'process_cpu_seconds_total')
  const startedAt = performance.now()
  const pending: Promise<void>[] = []
  let bound = 0
  let failed = 0
  const countFailure = () => void failed++
  for (let i = 0; i < changes; ) {
    for (const due = ((performance.now() - startedAt) / 1000) * ACTIONS_PER_SECOND; i < Math.min(due, changes); i++) {
      const isUnbind = i % 2 === 1 && i > UNBIND_AFTER
      const change = isUnbind ? unbind(instance, (i - 1 - UNBIND_AFTER) / 2) : bind(instance, bound++, scans)
      pending.push(change.catch(countFailure))
    }
    await delay(5)
  }
  await Promise.all(pending)
  const wanted = (changes + bound) * (RECEIVERS - HANGING)
  const deadline = performance.now() + 30_000
  while (receivers.lags.length < wanted && performance.now() < deadline) await delay(20)
  const cpu = (await metric(instance, 'process_cpu_seconds_total')) - cpuBefore
  const cores = cpu / ((performance.now() - startedAt) / 1000)
  await instance.end('SIGTERM')
  wechat.end()
  receivers.end()
  const isOrdered = [...receivers.versions.values()].every((given) => given.every((version, i) => version === i + 1))
  const p99 = quantile(receivers.lags, 0.99)
  return [
    {
      what: `${engine}: lag of ${RECEIVERS - HANGING} receivers, p50 / p99`,
      value: `${round(quantile(receivers.lags, 0.5))} / ${round(p99)} ms`,
      number: p99,
      goal: { text: '2000 ms', atMost: 2_000 },
    },
    {
      what: `${engine}: deliveries, of ${wanted}, in order and once`,
      value: `${receivers.lags.length}`,
      number: isOrdered && receivers.lags.length === wanted ? 1 : 0,
      goal: { text: 'all', atLeast: 1 },
    },
    {
      what: `${engine}: answer to a scan meanwhile, p50 / p99; failed changes`,
      value: `${round(quantile(scans, 0.5))} / ${round(quantile(scans, 0.99))} ms; ${failed}`,
    },
    {
      what: `${engine}: CPU of the server: cores, and for each delivery`,
      value: `${cores.toFixed(2)}, ${Math.round((cpu * 1e6) / receivers.lags.length)} us`,
    },
  ]
}

async function bind(instance: Instance, user: number, scans: number[]): Promise<void> {
  const sentAt = performance.now()
  const { status } = await deliverScan(account, instance, { openid: `oBench${user}`, scene: `wb1_u${user}` })
  if (status !== 200) throw new Error(`HTTP ${status}`)
  scans.push(performance.now() - sentAt)
}

async function unbind({ client }: Instance, user: number): Promise<void> {
  await client.disconnect({ account: 'acme', userId: `u${user}` })
}

const postgres = await startPostgres({ isDurable: true })
const onSqlite = await measure('SQLite', `sqlite:${join(folder, 'bind.db')}`)
const onPostgres = await measure('PostgreSQL', await postgres.newDatabase())
await postgres.remove()
rmSync(folder, { recursive: true })
report('webhooks', [...onSqlite, ...onPostgres])
process.exit()
