/**
 * `npm run bench [part ...] [-- --option value]` runs the benchmarks in this folder, or only the named ones. Each benchmark runs in its
 * own process and gets the options. A run of all parts writes test/bench/report.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Part } from './support/report.ts'
import { describeMachine, writeReport } from './support/write-report.ts'

const NOT_PARTS = new Set(['run.ts'])

// Run only by name: `soak` takes half an hour, `store-size` a quarter, the others a few minutes.
const BY_NAME_ONLY = new Set([
  'console',
  'data',
  'failover',
  'import',
  'instances',
  'neighbours',
  'notify',
  'soak',
  'steady',
  'storm',
  'store-size',
  'webhooks',
])

const parts = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !NOT_PARTS.has(file))
  .map((file) => file.slice(0, -'.ts'.length))
const given = process.argv.slice(2)
const firstOption = given.findIndex((each) => each.startsWith('--'))
const named = firstOption < 0 ? given : given.slice(0, firstOption)
const options = firstOption < 0 ? [] : given.slice(firstOption)
const unknown = named.filter((name) => !parts.includes(name))
if (unknown.length > 0) throw new Error(`unknown part ${unknown.join(', ')}; the parts are: ${parts.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-results-'))
const results = join(folder, 'results.jsonl')

/** Prints and returns the output of a part. The report needs the output of parts that return no results. */
async function run(name: string): Promise<{ name: string; text: string; hasPassed: boolean }> {
  console.log(`\n${name}`)
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_RESULTS: results },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    process.stdout.write(chunk)
  })
  const [status] = await once(child, 'close')
  return { name, text, hasPassed: status === 0 }
}

const machine = describeMachine()
console.log(machine.join('\n'))
const startedAt = performance.now()
const outcomes = []
for (const name of named.length > 0 ? named : parts.filter((part) => !BY_NAME_ONLY.has(part)))
  outcomes.push(await run(name))
const minutes = (performance.now() - startedAt) / 60_000

const reported: Part[] = existsSync(results)
  ? readFileSync(results, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : []
rmSync(folder, { recursive: true })
if (named.length === 0) {
  writeReport({ machine, minutes, reported, outcomes })
  spawnSync('npx', ['biome', 'format', '--write', join(import.meta.dirname, 'report')])
}
if (outcomes.some(({ hasPassed }) => !hasPassed)) process.exitCode = 1
