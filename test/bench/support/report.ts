/** The results of a part: printed, and passed to the run that writes the report. */
import { appendFileSync } from 'node:fs'

export type Line = {
  what: string
  value: string
  /** The number to compare with the goal. */
  number?: number
  goal?: Goal
  /** A reason not to rely on the number. */
  note?: string
}

type Goal = { text: string } & ({ atLeast: number } | { atMost: number })

const holds = ({ number = Number.NaN, goal }: Line): boolean | undefined =>
  goal && ('atLeast' in goal ? number >= goal.atLeast : number <= goal.atMost)

export const verdictOf = (line: Line) => ({ true: 'holds', false: 'MISSED' })[String(holds(line))] ?? ''

export type Part = { part: string; lines: Line[] /** Charts, by file name. */; charts?: Record<string, string> }

export function report(part: string, lines: Line[], charts: Record<string, string> = {}): void {
  for (const line of lines) {
    const goal = line.goal ? `  goal ${line.goal.text}: ${verdictOf(line)}` : ''
    console.log(`${line.what.padEnd(64)} ${line.value}${goal}${line.note ? `  (${line.note})` : ''}`)
  }
  const file = process.env.BENCH_RESULTS
  if (file) appendFileSync(file, `${JSON.stringify({ part, lines, charts } satisfies Part)}\n`)
}

export const round = (value: number) => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
