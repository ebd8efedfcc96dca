/** Measures the time until `serve` listens, and its memory while it is idle: `npm run bench startup`. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAccount } from '../../demo/simulator/account.ts'
import { CORES, pinned } from './support/pin.ts'
import { report } from './support/report.ts'
import { toEnv } from './support/served.ts'
import { median, spread } from './support/statistics.ts'

const ROUNDS = 7

// After this time, V8 has collected the garbage of the start.
const IDLE_AFTER_MS = 2_000

const root = join(import.meta.dirname, '../..')
// Measures the published JavaScript. With TypeScript, Node would have to strip the types first.
const built = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
  { cwd: root },
)
if (built.status !== 0) throw new Error(`tsc: ${built.stdout}`)

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-start-'))
const env = { ...toEnv(createAccount({}, randomBytes), `sqlite:${join(folder, 'bind.db')}`), LOG_LEVEL: 'info' }
const { execPath = process.execPath, execArgv = [] } = pinned(CORES.server)

const times: number[] = []
const sizes: number[] = []
for (let i = 0; i <= ROUNDS; i++) {
  const startedAt = performance.now()
  const child = spawn(execPath, [...execArgv, join(root, 'dist/server/cli.js'), 'serve'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  if (!line.includes('listens')) throw new Error(line)
  const took = performance.now() - startedAt
  await sleep(i === 0 ? 0 : IDLE_AFTER_MS)
  // The first start is not counted, because it creates the database.
  if (i > 0) times.push(took)
  if (i > 0) sizes.push(rssOf(child.pid!))
  child.kill('SIGTERM')
  await once(child, 'exit')
}
rmSync(folder, { recursive: true })

report('startup', [
  {
    what: 'start to listening',
    value: `${median(times).toFixed(0)} ms ${spread(times)}`,
    number: median(times),
    goal: { text: '1 s', atMost: 1_000 },
  },
  ...(sizes.some(Number.isNaN)
    ? []
    : [
        {
          what: 'idle RSS',
          value: `${median(sizes).toFixed(0)} MiB ${spread(sizes)}`,
          number: median(sizes),
          goal: { text: '110 MiB', atMost: 110 },
        },
      ]),
])

/** Returns the resident memory in MiB, or NaN on a system without /proc. */
function rssOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}
