/** Writes the report of a complete run as Markdown and as JSON, with charts as SVG. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { isPinned } from './pin.ts'
import { type Part, verdictOf } from './report.ts'

const root = join(import.meta.dirname, '../../..')
const folder = join(import.meta.dirname, '../report')

const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim()

const versionOf = (name: string) =>
  (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version

/** Returns the date, the machine, the versions and the commit, one line each. */
export function describeMachine(): string[] {
  const [cpu] = cpus()
  const names = ['hono', '@hono/node-server', 'pg', 'jose', 'lit']
  const isChanged = git('status', '--porcelain', '--', 'server', 'widget') !== ''
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}`,
    `Node ${process.version}, ${names.map((name) => `${name} ${versionOf(name)}`).join(', ')}`,
    `commit ${git('rev-parse', '--short', 'HEAD')}${isChanged ? ', with changes' : ''}`,
    isPinned
      ? 'server on one core, load on another'
      : 'server and load share their cores: only the ratios are meaningful',
  ]
}

type Run = {
  machine: string[]
  minutes: number
  reported: Part[]
  outcomes: { name: string; text: string; hasPassed: boolean }[]
}

export function writeReport({ machine, minutes, reported, outcomes }: Run): void {
  mkdirSync(folder, { recursive: true })
  const charts = Object.assign({}, ...reported.map((part) => part.charts ?? {})) as Record<string, string>
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(folder, name), svg)
  const json = { machine, parts: reported.map(({ part, lines }) => ({ part, lines })) }
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(json, null, 2)}\n`)
  const sections = outcomes.map(({ name, text, hasPassed }) => {
    const lines = reported.filter(({ part }) => part === name).flatMap((part) => part.lines)
    const images = reported.filter(({ part }) => part === name).flatMap((part) => Object.keys(part.charts ?? {}))
    const table = lines.map((line) => {
      const value = line.note ? `${line.value} (${line.note})` : line.value
      return `| ${line.what} | ${value} | ${line.goal?.text ?? ''} | ${verdictOf(line)} |`
    })
    return [
      `## ${name}`,
      '',
      ...(hasPassed ? [] : ['This part failed.', '']),
      ...(lines.length > 0
        ? ['| what | measured | goal | |', '| --- | --- | --- | --- |', ...table]
        : ['```text', text.trim(), '```']),
      ...images.flatMap((image) => ['', `![${image.replace(/\.svg$/, '')}](${image})`]),
      '',
    ].join('\n')
  })
  const head = [
    '# Results of `npm run bench`',
    '',
    ...machine.map((line) => `- ${line}`),
    `- ${minutes.toFixed(1)} minutes`,
    '',
  ]
  const legend =
    'The values are medians of the rounds, with the lowest and the highest value in brackets. The floors, the peers and the bind server ran in turn. A ratio is the median of the ratios of the rounds.'
  writeFileSync(join(folder, 'report.md'), [...head, legend, '', ...sections].join('\n'))
}
