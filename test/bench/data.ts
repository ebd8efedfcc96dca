/**
 * Measures the calls about many bindings, with decryption and encryption, on a store with 3,000,000 bindings: `npm run bench data`,
 * or `node test/bench/data.ts 100000` for another number. The median of every call must be below 15 ms.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEnvelope, sealEnvelope } from '../../server/keys/envelope.ts'
import { openStore } from '../../server/store/open-store.ts'
import { startPostgres } from '../support/postgres.ts'
import { openTestServer, SECRET, type TestServer } from '../support/test-server.ts'
import { fillPostgres, fillSqlite } from './support/big.ts'
import { median } from './support/statistics.ts'

const bindings = Number(process.argv[2] ?? 3_000_000)
const ROUNDS = 60
const WARM_UP = 10
const LIMIT_MS = 15

/** The first read also assigns the positions of the events. It happens only once, so its time has no limit. */
const FIRST_READ = '500 events, first read'

const secret = new Uint8Array(Buffer.from(SECRET, 'base64url'))
const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-data-'))
const postgres = await startPostgres()
let isSlow = false
try {
  const file = join(folder, 'data.db')
  await (await openStore(`sqlite:${file}`, settings)).close()
  fillSqlite(file, bindings)
  await measureEngine('SQLite', `sqlite:${file}`)
  const url = await postgres.newDatabase()
  await (await openStore(url, settings)).close()
  await fillPostgres(url, bindings)
  await measureEngine('PostgreSQL', url)
} finally {
  await postgres.remove()
  rmSync(folder, { recursive: true })
}
process.exit(isSlow ? 1 : 0)

/** Returns the fields of request number `i`. */
type Fields = (i: number) => object

async function measureEngine(engine: string, url: string): Promise<void> {
  const testServer = await openTestServer({ DATABASE_URL: url })
  const openidOf = (id: number) => `oBench${String((id * 2_654_435_761) % 4_294_967_296).padStart(22, '0')}`
  const idOf = (i: number) => 3 * Math.floor(((i + 1) * bindings) / (ROUNDS + WARM_UP + 1) / 3)
  const cursors: Record<string, string> = {}
  /** Returns the cursor from the last answer to a request of this name. */
  const next = (name: string) => (cursors[name] ? { Cursor: cursors[name] } : {})
  const firstAt = 1_700_000_000
  const rows: [name: string, call: string, fields: Fields][] = [
    ['a page of 500', 'ListBindings', () => ({ Limit: 500, ...next('a page of 500') })],
    ['... of an account', 'ListBindings', () => ({ Account: 'acme', Limit: 500, ...next('... of an account') })],
    [
      '... from the middle of the time',
      'ListBindings',
      (i) => ({ BoundSince: firstAt + Math.floor(idOf(i) / 1000), Limit: 500 }),
    ],
    ['an openid', 'ListBindings', (i) => ({ OpenId: openidOf(idOf(i)) })],
    ['an openid of an account', 'ListBindings', (i) => ({ Account: 'acme', OpenId: openidOf(idOf(i)) })],
    ['a unionid', 'ListBindings', (i) => ({ UnionId: `uBench${idOf(i)}` })],
    [
      '100 users (GetBindInfos)',
      'GetBindInfos',
      (i) => ({ Users: Array.from({ length: 100 }, (_, j) => ({ Account: 'acme', User_ID: `old${idOf(i) + j}` })) }),
    ],
    [FIRST_READ, 'GetEvents', () => ({ Limit: 500, ...after(FIRST_READ) })],
    ['500 events, read again', 'GetEvents', () => ({ Limit: 500, ...after('500 events, read again') })],
    ['the events of a user', 'GetEvents', (i) => ({ Account: 'acme', User_ID: `old${idOf(i)}` })],
  ]
  function after(name: string) {
    return cursors[name] ? { After: cursors[name] } : {}
  }

  console.log(`${engine}, ${bindings} bindings: ms of a call at the median (and the slowest), with encryption`)
  for (const [name, call, fields] of rows) {
    const times: number[] = []
    for (let i = 0; i < ROUNDS + WARM_UP; i++) {
      const { ms, data } = await send(testServer, call, fields(i))
      const cursor = data.NextCursor ?? data.Cursor
      if (cursor) cursors[name] = cursor
      else delete cursors[name]
      if (data.Items.length === 0) throw new Error(`${name}: no item`)
      if (i >= WARM_UP) times.push(ms)
    }
    if (median(times) >= LIMIT_MS && name !== FIRST_READ) isSlow = true
    console.log(`  ${name.padEnd(34)} ${median(times).toFixed(1).padStart(6)} (${Math.max(...times).toFixed(1)})`)
  }
  await testServer.close()
}

type Data = { Items: unknown[]; NextCursor?: string | null; Cursor?: string }

/** Measures only the server: the request is encrypted before the measurement, and the reply is decrypted after it. */
async function send(testServer: TestServer, call: string, fields: object): Promise<{ ms: number; data: Data }> {
  const plaintext = { Date: Math.floor(testServer.time.clock() / 1000), Action: 'Get', ...fields }
  const body = await sealEnvelope(plaintext, { kid: 'k1', jti: crypto.randomUUID() }, secret)
  const startedAt = performance.now()
  const response = await testServer.app.request(`/api/WeChat/${call}`, { method: 'POST', body })
  const reply = await response.text()
  const ms = performance.now() - startedAt
  const { text } = await openEnvelope(reply, undefined, () => ({ secret }))
  const result = JSON.parse(text)
  if (!result.Success) throw new Error(`${call}: ${result.Code} ${result.Message}`)
  return { ms, data: result.Data }
}
