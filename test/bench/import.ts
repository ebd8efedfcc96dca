/**
 * `bindings import` as an operator runs it: 200,000 lines on each engine, and the memory of a million lines: `npm run bench import`,
 * or `node test/bench/import.ts 100000` for another number of lines in the last part.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { startPostgres } from '../support/postgres.ts'
import { report, round } from './support/report.ts'

const LINES = 200_000
const MANY = Number(process.argv[2] ?? 1_000_000)

const cli = join(import.meta.dirname, '../../server/cli.ts')
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-import-'))

async function writeFile(name: string, lines: number): Promise<string> {
  const path = join(folder, name)
  const file = createWriteStream(path)
  file.write('Account,User_ID,OpenId,BoundAt,Label\n')
  for (let first = 0; first < lines; first += 1000) {
    let text = ''
    for (let i = first; i < Math.min(first + 1000, lines); i++) {
      // Real openids are in random order, so each binding changes a different page of the index of openids.
      const openid = `oABCDE${((i * 2_654_435_761) % 4_294_967_296).toString(36)}-${i}`
      text += `acme${i % 50},user-${i},${openid},${1_700_000_000 + i},u***${i}@example.com\n`
    }
    if (!file.write(text)) await once(file, 'drain')
  }
  file.end()
  await finished(file)
  return path
}

/** Makes the child process print its peak memory when it exits. */
const REPORT_MEMORY = `process.on('exit', () => console.error('maxRSS ' + process.resourceUsage().maxRSS))`

async function importFile(file: string, databaseUrl: string, ...options: string[]) {
  const startedAt = performance.now()
  const env = {
    WECHAT_APP_ID: 'wx1',
    WECHAT_APP_SECRET: 's',
    DATABASE_URL: databaseUrl,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(REPORT_MEMORY)}`,
  }
  const child = spawn(process.execPath, [cli, 'bindings', 'import', file, ...options], { env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`import failed:\n${text}`)
  return { seconds: (performance.now() - startedAt) / 1000, mib: Number(/maxRSS (\d+)/.exec(text)?.[1]) / 1024 }
}

const atMostMinute = { text: 'under 60 s', atMost: 60 }

const file = await writeFile('some.csv', LINES)
const sqlite = `sqlite:${join(folder, 'some.db')}`
const postgres = await startPostgres({ isDurable: true })
const onSqlite = await importFile(file, sqlite)
const again = await importFile(file, sqlite)
const onPostgres = await importFile(file, await postgres.newDatabase())
await postgres.remove()
const million = await importFile(await writeFile('many.csv', MANY), `sqlite:${join(folder, 'many.db')}`)
rmSync(folder, { recursive: true })

const seconds = (value: number) => `${round(value)} s`
report('import', [
  { what: `${LINES} lines, SQLite`, value: seconds(onSqlite.seconds), number: onSqlite.seconds, goal: atMostMinute },
  { what: 'the same again, which changes nothing', value: seconds(again.seconds) },
  {
    what: `${LINES} lines, PostgreSQL`,
    value: seconds(onPostgres.seconds),
    number: onPostgres.seconds,
    goal: atMostMinute,
  },
  { what: `${MANY} lines, SQLite`, value: seconds(million.seconds) },
  {
    what: `memory (peak RSS) of these ${MANY} lines`,
    value: `${round(million.mib)} MiB`,
    number: million.mib,
    goal: { text: 'under 200 MiB', atMost: 200 },
  },
])
process.exit()
