/** Prints the results of a part, and passes them to the process that writes the report. */
import { appendFileSync } from 'node:fs'

export type Line = {
  what: string
  value: string
  /** The number that is compared with the goal. */
  number?: number
  goal?: Goal
  /** The reason why the number may be wrong. */
  note?: string
}

type Goal = { text: string } & ({ atLeast: number } | { atMost: number })

const holds = ({ number = Number.NaN, goal }: Line): boolean | undefined =>
  goal && ('atLeast' in goal ? number >= goal.atLeast : number <= goal.atMost)

export const verdictOf = (line: Line) => ({ true: 'holds', false: 'MISSED' })[String(holds(line))] ?? ''

export type Part = { part: string; lines: Line[] /** The charts, by file name. */; charts?: Record<string, string> }

export function report(part: string, lines: Line[], charts: Record<string, string> = {}): void {
  for (const line of lines) {
    const goal = line.goal ? `  goal ${line.goal.text}: ${verdictOf(line)}` : ''
    console.log(`${line.what.padEnd(64)} ${line.value}${goal}${line.note ? `  (${line.note})` : ''}`)
  }
  const file = process.env.BENCH_RESULTS
  if (file) appendFileSync(file, `${JSON.stringify({ part, lines, charts } satisfies Part)}\n`)
}

export const round = (value: number) => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
