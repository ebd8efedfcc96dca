/** Prints the findings as text in both languages, or as JSON for scripts. */
import { exitCodeOf, type Finding, type Level } from './finding.ts'

// The level has a separate column, and each language has a separate line. `修复` is four columns wide.
const LEVEL_WIDTH = 7
const INDENT = ' '.repeat(2 + LEVEL_WIDTH)

// The report fits into 100 columns.
const ADDRESSES_PER_LINE = 4

export function toText(findings: Finding[]): string {
  return `${[heading, ...findings.map(toParagraph), toSummary(findings)].join('\n\n')}\n`
}

/** Prints one object. `ok` is true if the exit code is 0. */
export function toJson(findings: Finding[]): string {
  return `${JSON.stringify({ ok: exitCodeOf(findings) === 0, findings }, null, 2)}\n`
}

const heading = 'wechat-bind doctor'

function toParagraph({ level, en, zh, fix, addresses = [] }: Finding): string {
  const lines = [`  ${level.padEnd(LEVEL_WIDTH)}${en}`, `${INDENT}${zh}`]
  for (let i = 0; i < addresses.length; i += ADDRESSES_PER_LINE) {
    lines.push(INDENT + addresses.slice(i, i + ADDRESSES_PER_LINE).join(' '))
  }
  if (fix) lines.push(`${INDENT}fix   ${fix.en}`, `${INDENT}修复  ${fix.zh}`)
  return lines.join('\n')
}

function toSummary(findings: Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length
  const [right, warned, wrong] = [count('ok'), count('warn'), count('wrong')]
  return [
    `${right} ok, ${warned} warn, ${wrong} wrong.`,
    `${right} 项正常（ok），${warned} 项警告（warn），${wrong} 项错误（wrong）。`,
  ].join('\n')
}
