/**
 * Measures `bindings import` as an operator runs it: the time of 200,000 lines on each engine, and the memory of a
 * million lines. `npm run bench import`, or `node test/bench/import.ts 100000` for another number of lines in the last
 * part.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../support/postgres.ts'
import { importFile, writeImportFile } from './support/import-file.ts'
import { report, round } from './support/report.ts'

const LINES = 200_000
const MANY = Number(process.argv[2] ?? 1_000_000)

const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-import-'))

const atMostMinute = { text: 'under 60 s', atMost: 60 }

const file = await writeImportFile(join(folder, 'some.csv'), LINES)
const sqlite = `sqlite:${join(folder, 'some.db')}`
const postgres = await startPostgres({ isDurable: true })
const onSqlite = await importFile(file, sqlite)
const again = await importFile(file, sqlite)
const onPostgres = await importFile(file, await postgres.newDatabase())
await postgres.remove()
const million = await importFile(
  await writeImportFile(join(folder, 'many.csv'), MANY),
  `sqlite:${join(folder, 'many.db')}`,
)
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
