/** Who may import whom. The house stands only while these hold. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

type Import = { from: string; to: string; isType: boolean }

const sources = ['widget', 'server', 'demo'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    // Examples are packages of their own; frameworks' types speak of frameworks.
    .filter((file) => file.endsWith('.ts') && !/^widget\/(examples|frameworks)\//.test(file)),
)

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

const IMPORT = /^(?:import|export)\s+(type\s+)?(?:[\w*{},\s$]+?\s+from\s+)?['"]([^'"]+)['"]/gm

function importsOf(file: string): Import[] {
  return [...textOf(file).matchAll(IMPORT)].map(([, type, specifier = '']) => ({
    from: file,
    to: specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier,
    isType: type !== undefined,
  }))
}

const imports = sources.flatMap(importsOf)

const show = ({ from, to }: Import) => `${from} -> ${to}`

/** The imports that break a rule, as text: an empty list reads well when it fails. */
const breaking = (isWrong: (each: Import) => boolean) => imports.filter(isWrong).map(show)

const isNodeFile = (file: string) => /^(?:#!.*\n)?\/\*\*(?:(?!\*\/)[\s\S])*\bNODE\b/.test(textOf(file))

describe('the architecture', () => {
  test('finds the imports that it judges', () => {
    expect(imports.length).toBeGreaterThan(100)
    expect(imports).toContainEqual({ from: 'server/app.ts', to: 'server/deps.ts', isType: true })
  })

  test('lets the widget import lit, itself and the types on the wire', () => {
    const isAllowed = ({ to, isType }: Import) =>
      /^lit($|\/)/.test(to) || to.startsWith('widget/') || (isType && to === 'server/wire.ts')
    expect(breaking((each) => each.from.startsWith('widget/') && !isAllowed(each))).toEqual([])
  })

  test('keeps the server free of widget and demo, and everything free of the tests', () => {
    expect(breaking(({ from, to }) => from.startsWith('server/') && /^(widget|demo)\//.test(to))).toEqual([])
    expect(breaking(({ to }) => to.startsWith('test/'))).toEqual([])
  })

  test('builds the server on floors: a file imports only what stands below it', () => {
    const floors: [pattern: RegExp, floor: number][] = [
      [/^server\/examples\//, 8],
      [/^server\/(cli|index)\.ts$/, 7],
      [/^server\/doctor\//, 6],
      [/^server\/main\.ts$/, 6],
      [/^server\/open-app\.ts$/, 5],
      [/^server\/app\.ts$/, 4],
      [/^server\/(routes\/|callback|host-api|endpoint)/, 3],
      [/^server\/deps\.ts$/, 2],
      [/^server\/(binding|store|wechat)\//, 1],
      [/^server\//, 1],
    ]
    const floorOf = (file: string) => floors.find(([pattern]) => pattern.test(file))?.[1] ?? 0
    expect(
      breaking(({ from, to }) => from.startsWith('server/') && to.startsWith('server/') && floorOf(to) > floorOf(from)),
    ).toEqual([])
  })

  test('keeps routes apart from each other, and WeChat from our rules', () => {
    expect(breaking(({ from, to }) => from.startsWith('server/routes/') && to.startsWith('server/routes/'))).toEqual([])
    expect(
      breaking(({ from, to }) => from.startsWith('server/wechat/') && /^server\/(binding|store|routes)\//.test(to)),
    ).toEqual([])
    expect(
      breaking(({ from, to }) => from.startsWith('server/store/') && /^server\/(binding|routes|wechat)\//.test(to)),
    ).toEqual([])
  })

  test('keeps the rules pure: no clock, no chance, no I/O', () => {
    const text = textOf('server/binding/rules.ts')
    expect(importsOf('server/binding/rules.ts').filter(({ to }) => to.startsWith('node:'))).toEqual([])
    expect(text).not.toMatch(/Date\.now|Math\.random|await /)
  })

  test('lets only files marked NODE touch the process, the file system, sockets and drivers', () => {
    const NODE_ONLY =
      /^(node:(fs|http|https|net|sqlite|child_process|path|events|timers|worker_threads)|pg|pino|@hono\/node-server)(\/|$)/
    const portable = sources.filter((file) => file.startsWith('server/') && !isNodeFile(file))
    expect(breaking(({ from, to }) => portable.includes(from) && NODE_ONLY.test(to))).toEqual([])
    expect(portable.filter((file) => /\bprocess\./.test(textOf(file)))).toEqual([])
  })

  test('has no circle of imports', () => {
    const next = new Map(
      sources.map((file) => [
        file,
        importsOf(file)
          .filter(({ isType }) => !isType)
          .map(({ to }) => to),
      ]),
    )
    const done = new Set<string>()
    const walk = (file: string, path: string[]): string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' -> ')]
      if (done.has(file)) return []
      const found = (next.get(file) ?? []).flatMap((to) => walk(to, [...path, file]))
      done.add(file)
      return found
    }
    expect(sources.flatMap((file) => walk(file, []))).toEqual([])
  })
})
