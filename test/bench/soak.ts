/**
 * Runs a server for half an hour with all kinds of requests at once: `npm run bench soak`. The server is started in the
 * same way as by `serve`. `--minutes 10` sets another duration, `--engine postgres` selects PostgreSQL, and
 * `--snapshots FOLDER` writes heap snapshots in the middle and at the end, which increases the memory of the process.
 * Fails if memory, descriptors, files or tables grow in the second half. Linux only.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { startPostgres } from '../support/postgres.ts'
import { openRows } from './soak/rows.ts'
import { createSampler, type Sample } from './soak/sample.ts'
import { startSoaked } from './soak/server.ts'
import { type Story, startStory } from './soak/story.ts'
import { judge, toMib } from './soak/verdict.ts'
import { type Line, report, verdictOf } from './support/report.ts'

const SAMPLE_MS = 10_000
// Only one sample in six runs a garbage collection, because a collection takes a tenth of a second.
const HEAP_EVERY = 6
const AGE_MS = 5_000
// With these shares of half an hour, the size of every table is constant after a fifth of the run. A QR code is valid
// for a minute.
const KEPT_SHARE = 1 / 6
const LEAST_KEPT_MS = 75_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    engine: { type: 'string', default: 'sqlite' },
    snapshots: { type: 'string' },
  },
})
const durationMs = Number(values.minutes) * 60_000
const isPostgres = values.engine === 'postgres'
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-soak-'))
// The maximum size of the write-ahead log of PostgreSQL. The default is 1 GB.
const postgres = isPostgres ? await startPostgres({ settings: ['max_wal_size=64MB'] }) : undefined
const databaseUrl = (await postgres?.newDatabase()) ?? `sqlite:${join(folder, 'bind.db')}`
const soaked = await startSoaked(databaseUrl, folder)
const rows = await openRows(databaseUrl, Math.max(LEAST_KEPT_MS, durationMs * KEPT_SHARE))
const sample = createSampler(soaked, databaseUrl, rows)
const hasBackups = await canBackUp()
const story = startStory(soaked, databaseUrl, folder, hasBackups)

console.log(
  `${values.minutes} minutes on ${isPostgres ? 'PostgreSQL' : 'SQLite'}${hasBackups ? '' : ', without backups'}`,
)
const aging = setInterval(() => story.run('ageing of rows', rows.age), AGE_MS)
const samples: Sample[] = []
const count = Math.floor(durationMs / SAMPLE_MS)
for (let i = 0; i < count && soaked.isRunning(); i++) {
  await delay(SAMPLE_MS)
  samples.push(await sample(story.callbacks(), i % HEAP_EVERY === 0))
  if (i % HEAP_EVERY === 0) print(samples.at(-1)!)
  if (values.snapshots && (i === Math.floor(count / 2) || i === count - 1)) await snapshot(values.snapshots, i)
}
clearInterval(aging)
await story.stop()
const hasExited = !soaked.isRunning()
await soaked.end()
await rows.close()
await postgres?.remove()
rmSync(folder, { recursive: true })
printActions(story)
const lines = [...judge(samples), failures(story)]
report('soak', lines)
process.exit(hasExited || lines.some((line) => verdictOf(line) === 'MISSED') ? 1 : 0)

/** The version of `pg_dump` must not be older than the version of the server. */
async function canBackUp(): Promise<boolean> {
  const [major] = process.env.PATH && isPostgres ? await versionOfPgDump() : ['']
  return !isPostgres || Number(major) >= 18
}

async function versionOfPgDump(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('pg_dump', ['--version']).catch(() => ({ stdout: '' }))
  return /(\d+)\./.exec(stdout)?.slice(1) ?? []
}

async function snapshot(into: string, number: number): Promise<void> {
  mkdirSync(into, { recursive: true })
  await soaked.writeSnapshot(join(into, `${number}.heapsnapshot`))
}

function print({ at, heap = 0, memory, rss, descriptors, database, wal, log, callbacks, rows }: Sample): void {
  const { fixed, clients, outgoing, database: connections } = descriptors
  console.log(
    `${String(Math.round(at)).padStart(5)} s  heap ${toMib(heap)}  memory ${toMib(memory)} (with files ${toMib(rss)})  descriptors ${fixed.length} + ${clients} + ${outgoing} + ${connections}` +
      `  database ${toMib(database)}  wal ${toMib(wal)}  log ${toMib(log)}  callbacks ${callbacks}  rows ${Object.values(rows).join(' ')}`,
  )
}

function printActions({ counts }: Story): void {
  for (const [name, { done, refused, failed, firstFailure }] of counts) {
    const failure = firstFailure ? `, ${failed} failed: ${firstFailure}` : ''
    console.log(`${name.padEnd(40)} ${done}${refused > 0 ? `, ${refused} refused as expected` : ''}${failure}`)
  }
}

function failures({ counts }: Story): Line {
  const failed = [...counts.values()].reduce((sum, counted) => sum + counted.failed, 0)
  const done = [...counts.values()].reduce((sum, counted) => sum + counted.done, 0)
  // On a machine with other work, a few requests exceed a time limit.
  const most = Math.ceil(done / 1000)
  return {
    what: `failed actions, of ${done}`,
    value: String(failed),
    number: failed,
    goal: { text: `at most ${most}`, atMost: most },
  }
}
