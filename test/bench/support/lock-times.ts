/**
 * Measures for how long a process holds SQLite's write lock, because the callbacks of a server wait for this time. The
 * process loads this file with `--import`, and writes the times to the file `LOCK_TIMES` at its exit. The CPU time of
 * the thread does not depend on the other work of the machine, so it shows what the wall time of a busy machine hides.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { StatementSync } from 'node:sqlite'
import { quantile } from './statistics.ts'

/** One hold of the lock, which began at `at` (epoch ms). */
type Hold = { at: number; wallMs: number; cpuMs: number }

/** The environment of a process whose times are measured. */
export const lockTimesEnv = (file: string) => ({ LOCK_TIMES: file, NODE_OPTIONS: `--import=${import.meta.url}` })

/** Reads the times of a process that has ended. */
export function readHolds(file: string, from: number, until: number): Hold[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as Hold[]).filter(({ at }) => at >= from && at < until)
}

export function holdLine(what: string, holds: Hold[], limitMs: number) {
  const cpu = holds.map(({ cpuMs }) => cpuMs)
  const longest = Math.max(...cpu)
  const wall = Math.max(...holds.map(({ wallMs }) => wallMs))
  return {
    what,
    value: `longest ${longest.toFixed(1)} ms of CPU (${wall.toFixed(1)} ms by the clock), p99 ${quantile(cpu, 0.99).toFixed(1)}, p50 ${quantile(cpu, 0.5).toFixed(1)}, of ${holds.length} transactions`,
    number: longest,
    goal: { text: `${limitMs} ms of CPU`, atMost: limitMs },
  }
}

if (process.env.LOCK_TIMES) recordHolds(process.env.LOCK_TIMES)

function recordHolds(file: string): void {
  const holds: Hold[] = []
  let begun: (() => void) | undefined

  function begin(): () => void {
    const [at, startedAt, cpu] = [Date.now(), performance.now(), process.threadCpuUsage()]
    return () => {
      const { user, system } = process.threadCpuUsage(cpu)
      holds.push({ at, wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 })
    }
  }

  for (const name of ['run', 'all'] as const) {
    const original = StatementSync.prototype[name] as (...values: unknown[]) => never
    StatementSync.prototype[name] = function (this: StatementSync, ...values: unknown[]): never {
      const sql = this.sourceSQL
      const end = begun === undefined && /^(insert|update|delete)/i.test(sql) ? begin() : undefined
      const result = original.apply(this, values)
      end?.()
      if (sql === 'begin immediate') begun = begin()
      if (sql === 'commit') begun?.()
      if (sql === 'commit' || sql === 'rollback') begun = undefined
      return result
    }
  }
  process.on('exit', () => writeFileSync(file, JSON.stringify(holds)))
}
