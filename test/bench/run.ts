/** `npm run bench [part ...]`: runs every benchmark beside this file, or the named ones, each in a process of its own. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

const NOT_PARTS = new Set(['run.ts', 'statistics.ts'])

const parts = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && !NOT_PARTS.has(file))
const wanted = process.argv.slice(2).map((name) => `${name}.ts`)

console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`)
for (const part of wanted.length > 0 ? wanted : parts) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, part)], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
