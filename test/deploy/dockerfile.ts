/** Reads a Dockerfile as a list of instructions, which tests can follow without a container engine. */
import { globSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'

export const root = join(import.meta.dirname, '../..')

type Instruction = { name: string; rest: string }

/** Each stage's instructions, `FROM` first. */
export function readStages(file: string): Instruction[][] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  const instructions = lines.flatMap((line): Instruction[] => {
    const [, name, rest] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? []
    return name && rest ? [{ name, rest }] : []
  })
  const starts = instructions.flatMap(({ name }, i) => (name === 'FROM' ? [i] : []))
  return starts.map((start, stage) => instructions.slice(start, starts[stage + 1]))
}

/** The arguments of the last instruction of this name. */
export function restOf(stage: Instruction[], name: string): string {
  const found = stage.findLast((each) => each.name === name)
  if (!found) throw new Error(`the stage has no ${name}`)
  return found.rest
}

/** The words of an instruction in exec form. */
export const wordsOf = (rest: string) => JSON.parse(rest.slice(rest.indexOf('['))) as string[]

export const variablesOf = (rest: string) =>
  Object.fromEntries(
    rest.split(' ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )

/** Reads the build context from an ignore file that begins with "*". `has` returns whether the context contains a path. */
export function contextOf(ignoreFile: string): { entries: string[]; has: (path: string) => boolean } {
  const patterns = readFileSync(join(root, ignoreFile), 'utf8')
    .split('\n')
    .filter((line) => /^[^#]/.test(line))
  if (patterns[0] !== '*') throw new Error('the ignore file does not begin with "*"')
  const entries = patterns
    .filter((line) => line.startsWith('!'))
    .flatMap((line) => globSync(line.slice(1), { cwd: root }))
  const excluded = patterns.slice(1).filter((line) => !line.startsWith('!'))
  return { entries, has: (path) => !excluded.some((pattern) => matchesGlob(path, pattern)) }
}
