/** Checks which folder may import which, for static, dynamic and type imports. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

type Import = { from: string; to: string; isType: boolean }

const sources = ['widget', 'server', 'console', 'demo'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    // These files are not checked: examples are separate packages, `dist` is generated, and the type files for
    // frameworks import the frameworks.
    .filter((file) => file.endsWith('.ts') && !/^widget\/frameworks\/|\/(dist|node_modules)\//.test(file)),
)

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

const STATIC = /^(?:import|export)\s+(type\s+)?(?:([\w*{},\s$]+?)\s+from\s+)?['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** `import { type A, type B } from` is a type import, too. */
const isOnlyTypes = (clause: string) => {
  const names = /^\{([^}]*)\}$/.exec(clause.trim())?.[1]?.split(',') ?? []
  return names.length > 0 && names.every((name) => name.trim() === '' || name.trim().startsWith('type '))
}

function importsIn(file: string, text: string): Import[] {
  const resolve = (specifier: string) =>
    specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier
  const fixed = [...text.matchAll(STATIC)].map(([, type, clause = '', specifier = '']) => ({
    from: file,
    to: resolve(specifier),
    isType: type !== undefined || isOnlyTypes(clause),
  }))
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, specifier = '']) => ({
    from: file,
    to: resolve(specifier),
    isType: false,
  }))
  return [...fixed, ...dynamic]
}

const imports = sources.flatMap((file) => importsIn(file, textOf(file)))

const show = ({ from, to }: Import) => `${from} -> ${to}`

/** Returns the imports that break a rule, as text for the message of a failed test. */
const breaking = (isWrong: (each: Import) => boolean) => imports.filter(isWrong).map(show)

/**
 * A file whose head comment says "Node only" needs Node.js. All other files of the server also run on other runtimes.
 */
const isNodeFile = (file: string) => /^(?:#!.*\n)?\/\*\*(?:(?!\*\/)[\s\S])*\bNode only\b/.test(textOf(file))

/**
 * The layers (floors) of the server, the top floor first. A file may import from its own floor and from the floors
 * below. A room is a folder, or a file in the root.
 */
const floors: string[][] = [
  ['cli.ts'],
  ['commands/', 'examples/'],
  ['serve.ts', 'index.ts'],
  ['open-app.ts'],
  ['app.ts'],
  ['routes/', 'console/'],
  ['deps.ts', 'doctor/'],
  ['outbound/', 'config/'],
  ['client.ts', 'clients/', 'http/'],
  ['binding/', 'keys/', 'telemetry/'],
  ['store/', 'wechat/', 'api/'],
  ['platform.ts', 'crypto.ts', 'errors.ts', 'watched-file.ts', 'wire.ts'],
]

const roomOf = (file: string) => /^server\/([^/]+\/)?/.exec(file)?.[1] ?? file.slice('server/'.length)

const floorOf = (file: string) => floors.findIndex((rooms) => rooms.includes(roomOf(file)))

describe('the architecture test', () => {
  test('sees static, type and dynamic imports', () => {
    const text = [
      "import { a, type B } from './a.ts'",
      "import type { C } from './c.ts'",
      "import { type D } from './d.ts'",
      "export * from './e.ts'",
      "const f = await import('./f.ts')",
      "type G = import('./g.ts').G",
    ].join('\n')
    expect(importsIn('server/x.ts', text)).toEqual([
      { from: 'server/x.ts', to: 'server/a.ts', isType: false },
      { from: 'server/x.ts', to: 'server/c.ts', isType: true },
      { from: 'server/x.ts', to: 'server/d.ts', isType: true },
      { from: 'server/x.ts', to: 'server/e.ts', isType: false },
      { from: 'server/x.ts', to: 'server/f.ts', isType: false },
      { from: 'server/x.ts', to: 'server/g.ts', isType: false },
    ])
  })

  test('finds the imports in the source files', () => {
    expect(imports.length).toBeGreaterThan(100)
    expect(imports).toContainEqual({ from: 'server/app.ts', to: 'server/deps.ts', isType: true })
  })
})

describe('the architecture', () => {
  test('lets the widget import only lit, itself, the types of server/wire.ts, and React in the React component', () => {
    const isAllowed = ({ from, to, isType }: Import) =>
      /^lit($|\/)/.test(to) ||
      to.startsWith('widget/') ||
      (isType && to === 'server/wire.ts') ||
      (from === 'widget/react.ts' && ['react', '@lit/react'].includes(to))
    expect(breaking((each) => each.from.startsWith('widget/') && !isAllowed(each))).toEqual([])
  })

  test('lets the console import only lit, uPlot, itself, and the types of server/console/wire.ts', () => {
    const isAllowed = ({ from, to, isType }: Import) =>
      /^(lit|uplot)($|\/)/.test(to) ||
      to.startsWith('console/') ||
      (isType && to === 'server/console/wire.ts') ||
      (from === 'console/vite.config.ts' && to === 'vite')
    expect(breaking((each) => each.from.startsWith('console/') && !isAllowed(each))).toEqual([])
  })

  test('does not let the server import widget or demo, and does not let any source file import a test', () => {
    expect(breaking(({ from, to }) => from.startsWith('server/') && /^(widget|console|demo)\//.test(to))).toEqual([])
    expect(breaking(({ to }) => to.startsWith('test/'))).toEqual([])
  })

  test('has a floor for every room of the server, and at most 12 files in the root of the server', () => {
    const files = sources.filter((file) => file.startsWith('server/'))
    expect(files.filter((file) => floorOf(file) < 0)).toEqual([])
    expect(files.filter((file) => /^server\/[^/]+$/.test(file)).length).toBeLessThanOrEqual(12)
  })

  test.each(['ARCHITECTURE.md', 'ARCHITECTURE.zh-CN.md'])('has the same floors as the table in %s', (page) => {
    const rows = [...textOf(page).matchAll(/^\| (\d+) \| (.+?) \|/gm)]
    expect(
      rows.map(([, floor, rooms = '']) => [Number(floor), [...rooms.matchAll(/`([^`]+)`/g)].map(([, room]) => room)]),
    ).toEqual(floors.map((rooms, index) => [index + 1, rooms]))
  })

  test('lets a file of the server import only its own floor and the floors below', () => {
    const isServer = (file: string) => file.startsWith('server/')
    expect(breaking(({ from, to }) => isServer(from) && isServer(to) && floorOf(to) < floorOf(from))).toEqual([])
  })

  test('does not allow imports between independent rooms of one floor, or between routes', () => {
    const apart: [from: RegExp, to: RegExp][] = [
      [/^server\/wechat\//, /^server\/(store|api)\//],
      [/^server\/store\//, /^server\/(wechat|api)\//],
      [/^server\/api\//, /^server\/(wechat|store)\//],
      [/^server\/store\/sql\//, /^server\/store\/(sqlite|postgres)\//],
      [/^server\/store\/sqlite\//, /^server\/store\/postgres\//],
      [/^server\/store\/postgres\//, /^server\/store\/sqlite\//],
    ]
    for (const [from, to] of apart) {
      expect(breaking((each) => from.test(each.from) && to.test(each.to))).toEqual([])
    }
    const isRoute = (file: string) => file.startsWith('server/routes/')
    expect(breaking(({ from, to }) => isRoute(from) && isRoute(to))).toEqual([])
  })

  test.each(['rules', 'decision', 'confirmation-rules', 'label', 'intent'])(
    'keeps binding/%s.ts free of clocks, random values and I/O',
    (name) => {
      const file = `server/binding/${name}.ts`
      expect(imports.filter(({ from, to }) => from === file && to.startsWith('node:'))).toEqual([])
      expect(textOf(file)).not.toMatch(/Date\.now|Math\.random|await /)
    },
  )

  test('lets only files marked "Node only" use the process, the file system, sockets and drivers', () => {
    const NODE_ONLY =
      /^(node:(fs|http|https|net|sqlite|child_process|path|events|timers|worker_threads)|pg|pino|@hono\/node-server)(\/|$)/
    const portable = sources.filter((file) => file.startsWith('server/') && !isNodeFile(file))
    expect(breaking(({ from, to }) => portable.includes(from) && NODE_ONLY.test(to))).toEqual([])
    expect(portable.filter((file) => /\bprocess\./.test(textOf(file)))).toEqual([])
  })

  test('has no import cycle, even with type imports', () => {
    const next = Map.groupBy(imports, ({ from }) => from)
    const done = new Set<string>()
    const walk = (file: string, path: string[]): string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' -> ')]
      if (done.has(file)) return []
      const found = (next.get(file) ?? []).flatMap(({ to }) => walk(to, [...path, file]))
      done.add(file)
      return found
    }
    expect(sources.flatMap((file) => walk(file, []))).toEqual([])
  })
})
