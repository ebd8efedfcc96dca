/**
 * Shows that the simulation finds faults: `node test/simulation/faults/run.ts [NAME…]`. For each patch in this folder,
 * it applies the patch to a copy of the project and plays stories until one fails.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The simulation must find each fault within this number of stories. */
const SEQUENCES = 2_000
const STEPS = 60
const SEED = 1

const here = import.meta.dirname
const root = join(here, '../../..')
const wanted = process.argv.slice(2)
const patches = readdirSync(here)
  .filter((name) => name.endsWith('.patch') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .sort()

const copy = mkdtempSync(join(tmpdir(), 'simulation-faults-'))
let missed = 0
try {
  for (const name of ['server', 'demo', 'test', 'package.json']) {
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist|peers)$/.test(path),
    })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const patch of patches) {
    const apply = (...options: string[]) => execFileSync('git', ['apply', ...options, join(here, patch)], { cwd: copy })
    apply()
    const { isFound, text } = play()
    apply('--reverse')
    if (!isFound) missed++
    console.log(`${isFound ? 'found ' : 'MISSED'}  ${patch.replace('.patch', '').padEnd(50)}  ${text}`)
  }
} finally {
  rmSync(copy, { recursive: true, force: true })
}
process.exit(missed)

function play(): { isFound: boolean; text: string } {
  const options = ['--quick', '--seed', SEED, '--steps', STEPS, '--sequences', SEQUENCES].map(String)
  const { status, stdout } = spawnSync(process.execPath, [join(copy, 'test/simulation/main.ts'), ...options], {
    encoding: 'utf8',
  })
  const [, sequences = '?'] = /found in story (\d+)/.exec(stdout) ?? []
  const fault = /^seed \d+: (.*)$/m.exec(stdout)?.[1] ?? ''
  return { isFound: status === 1 && fault !== '', text: status === 1 ? `in story ${sequences}: ${fault}` : '' }
}
