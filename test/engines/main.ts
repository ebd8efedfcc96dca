/**
 * `npm run test:engines`: runs the tests of the element and the stories in every browser engine that the machine has, and says at
 * the end which engine it lacks, and what to install. `-- firefox webkit` runs these only. `-- --all` fails if one is missing.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type EngineName, engines, hasLibraries } from './engines.ts'

const folder = import.meta.dirname
const names = Object.keys(engines) as EngineName[]
const args = process.argv.slice(2)
const chosen = args.filter((arg) => arg !== '--all')
const unknown = chosen.filter((arg) => !names.includes(arg as EngineName))
if (unknown.length > 0) {
  console.error(`Unknown engine: ${unknown.join(', ')}. Choose from: ${names.join(', ')}`)
  process.exit(2)
}

if (!hasLibraries()) {
  console.log('Installing the automation libraries and Chromium 116 (120 MB) into test/engines/node_modules')
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
}

const wanted = names.filter((name) => chosen.length === 0 || chosen.includes(name))
const missing = wanted.flatMap((name) => {
  const engine = engines[name]()
  return 'missing' in engine ? [`${name}: this machine lacks ${engine.missing}`] : []
})
const found = wanted.filter((name) => !('missing' in engines[name]()))

function run(): number {
  const vitest = join(folder, '../../node_modules/vitest/vitest.mjs')
  const options = ['run', '--root', join(folder, '../..'), '--config', join(folder, 'vitest.config.ts')]
  const env = { ...process.env, ENGINES: found.join(' ') }
  return spawnSync(process.execPath, [vitest, ...options], { env, stdio: 'inherit' }).status ?? 1
}

const status = found.length > 0 ? run() : 1
console.log(`Ran in: ${found.join(', ') || 'no engine'}`)
for (const line of missing) console.log(`NOT RUN ${line}`)
process.exitCode = status || (args.includes('--all') && missing.length > 0 ? 1 : 0)
