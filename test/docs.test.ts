/**
 * Checks the documents: their links resolve, the tests, metrics and settings in them exist, and both languages have the
 * same rows.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { collectDefaultMetrics } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../server/config/config.ts'
import { openTestServer } from './support/test-server.ts'

const root = join(import.meta.dirname, '..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

const isForeign = (path: string) => /(^|[\\/])(node_modules|dist)$/.test(path)
const pages = globSync('**/*.md', { cwd: root, exclude: isForeign })

/** Returns the page without its code blocks, because brackets in code are not links. */
const proseOf = (file: string) => textOf(file).replace(/^ *```[\s\S]*?^ *```/gm, '')

type Link = { page: string; text: string; path: string; anchor: string }

const linksOf = (page: string): Link[] =>
  [...proseOf(page).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .filter(([, , to = '']) => !/^https?:/.test(to))
    .map(([, text = '', to = '']) => {
      const [path = '', anchor = ''] = to.split('#')
      return { page, text, path: path === '' ? page : join(dirname(page), path), anchor: decodeURIComponent(anchor) }
    })

const links = [...pages, 'llms.txt'].flatMap(linksOf)

/**
 * Returns the anchors that GitHub generates for headings: in lower case, with hyphens in place of spaces, and without
 * punctuation.
 */
const anchorsOf = (page: string) =>
  [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

const show = ({ page, path, anchor }: Link) => `${page} -> ${path}${anchor && `#${anchor}`}`

describe('links', () => {
  test('lead to existing files and headings', () => {
    expect(links.length).toBeGreaterThan(60)
    const files = new Set(globSync('**', { cwd: root, exclude: isForeign }))
    // A glob pattern does not match hidden folders.
    files.add('.ci/run')
    const isBroken = ({ path, anchor }: Link) => {
      const target = path.replace(/\/$/, '')
      return !files.has(target) || (anchor !== '' && !anchorsOf(target).includes(anchor))
    }
    expect(links.filter(isBroken).map(show)).toEqual([])
  })

  test('to a test file have a test title from this file as their text', () => {
    const proofs = links.filter(
      ({ page, path }) => /^(SECURITY|docs\/webhooks)/.test(page) && /^test\/.+\/.+(\.test|-contract)\.ts$/.test(path),
    )
    expect(proofs.length).toBeGreaterThan(80)
    const missing = proofs.filter(({ path, text }) => !textOf(path).includes(`'${text}'`))
    expect(missing.map(({ page, path, text }) => `${page}: ${path} has no '${text}'`)).toEqual([])
  })
})

describe('WeChat’s console', () => {
  test('is named by its current menus in pages, messages and the files of deploy/', () => {
    const files = [...pages, ...globSync(['{server,demo,widget,deploy}/**/*'], { cwd: root, exclude: isForeign })]
    const texts = files.filter((file) => /\.(md|ts|yaml|conf|example|service)$/.test(file))
    expect(texts.length).toBeGreaterThan(150)
    // The path of the old menu is correct for 网页授权域名 only.
    const WEB_DOMAIN = '设置与开发 > 账号设置 > 功能设置'
    // These are the old menus of mp.weixin.qq.com. The settings are now at developers.weixin.qq.com/platform.
    expect(
      texts.filter((file) => /设置与开发|基本配置|公众平台/.test(textOf(file).replaceAll(WEB_DOMAIN, ''))),
    ).toEqual([])
  })
})

describe('paths in code', () => {
  // The changelog is not checked, because it mentions files that no longer exist.
  const current = pages.filter((page) => !page.startsWith('CHANGELOG'))

  /** Returns the paths of the repository in inline code, including the paths within a command. */
  const pathsIn = (page: string) =>
    [...proseOf(page).matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) =>
      [...code.matchAll(/(?<![\w./:@-])(?:server|widget|demo|test|docs|deploy)\/[\w./*{-]*/g)].map(([path]) => path),
    )

  test('are files and folders of this repository', () => {
    const named = current.flatMap((page) => pathsIn(page).map((path) => ({ page, path })))
    expect(named.filter(({ page }) => page === 'ARCHITECTURE.md').length).toBeGreaterThan(60)
    const missing = named.filter(({ path }) => !/[*{]/.test(path) && !existsSync(join(root, path)))
    expect(missing.map(({ page, path }) => `${page}: ${path}`)).toEqual([])
  })

  test('of ARCHITECTURE and CONTRIBUTING are the same in both languages', () => {
    for (const page of ['ARCHITECTURE', 'CONTRIBUTING']) {
      const [english, chinese] = [`${page}.md`, `${page}.zh-CN.md`].map((file) =>
        pathsIn(file).map((path) => path.replace('.zh-CN.md', '.md')),
      )
      expect([...new Set(chinese)].sort()).toEqual([...new Set(english)].sort())
    }
  })
})

/** Returns the rows of each table. */
const tablesOf = (page: string) =>
  proseOf(page)
    .split(/\n(?!\|)/)
    .flatMap((block) => {
      const rows = block.split('\n').filter((line) => line.startsWith('|'))
      return rows.length > 2 ? [rows.slice(2)] : []
    })

const codeIn = (row: string) => (row.split(/(?<!\\)\|/)[1] ?? '').match(/`[^`]+`/g) ?? []
const proofsIn = (row: string) =>
  [...row.matchAll(/\]\((test\/[^)]+)\)/g)].map(([, path]) => path?.replace('.zh-CN.md', '.md'))

describe.each(
  [
    'README',
    'SECURITY',
    'ARCHITECTURE',
    'CONTRIBUTING',
    'CHANGELOG',
    'docs/README',
    'docs/operations',
    'docs/demo',
    'docs/performance',
  ].map((page) => [`${page}.md`, `${page}.zh-CN.md`] as const),
)('%s and %s', (english, chinese) => {
  test('have the same headings, tables and rows', () => {
    const shapeOf = (page: string) => [...proseOf(page).matchAll(/^(#+) /gm)].map(([, level]) => level)
    expect(shapeOf(chinese)).toEqual(shapeOf(english))
    const rowsOf = (page: string) => tablesOf(page).map((rows) => rows.map((row) => [codeIn(row), proofsIn(row)]))
    expect(rowsOf(chinese)).toEqual(rowsOf(english))
  })
})

describe('the dashboard, the alerts and the operations page', () => {
  /** Returns every name that `/metrics` can contain, with the three series of each histogram. */
  async function served(): Promise<Set<string>> {
    const webhook = { WEBHOOK_URL: 'http://receiver.test', WEBHOOK_SECRET: `whsec_${'A'.repeat(43)}=` }
    const testServer = await openTestServer(webhook, { neighbour: async () => new Response() })
    const { registry } = testServer.deps.metrics
    collectDefaultMetrics({ register: registry })
    const metrics = registry.getMetricsAsArray() as unknown as { name: string; type: string }[]
    await testServer.close()
    return new Set(
      metrics.flatMap(({ name, type }) =>
        type === 'histogram' ? [name, ...['bucket', 'sum', 'count'].map((end) => `${name}_${end}`)] : [name],
      ),
    )
  }

  const named = (file: string) => [
    ...new Set(textOf(file).match(/\b(?:wechat_bind|nodejs|process)_[a-z0-9_]*[a-z0-9]\b/g)),
  ]

  test.each(['deploy/grafana-dashboard.json', 'deploy/alerts.yaml', 'docs/operations.md', 'docs/operations.zh-CN.md'])(
    'use in %s only metrics that the server reports',
    async (file) => {
      const names = await served()
      expect(named(file).length).toBeGreaterThan(5)
      expect(named(file).filter((name) => !names.has(name))).toEqual([])
    },
  )

  test('mention every metric and every alert', async () => {
    const ours = [...(await served())].filter((name) => /^wechat_bind_(?!.*_(bucket|sum|count)$)/.test(name))
    const alerts = [...textOf('deploy/alerts.yaml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
    expect(alerts.length).toBeGreaterThan(10)
    const page = textOf('docs/operations.md')
    expect([...ours, ...alerts].filter((name) => !page.includes(`\`${name}\``))).toEqual([])
    expect(ours.filter((name) => !textOf('deploy/grafana-dashboard.json').includes(name))).toEqual([])
  })

  test('compare labels only with values that the server can report', () => {
    const text = textOf('deploy/alerts.yaml') + textOf('deploy/grafana-dashboard.json').replaceAll('\\"', '"')
    const steps = new Set([...text.matchAll(/step="(\w+)"/g)].map(([, step]) => step))
    expect([...steps].sort()).toEqual(['bound', 'confirmed', 'conflict', 'expired', 'scanned', 'shown'])
    const outcomes = [...text.matchAll(/outcome=~?"([\w|]+)"/g)].flatMap(([, list = '']) => list.split('|'))
    expect([...new Set(outcomes)].sort()).toEqual(['failed', 'other', 'ours', 'refused'])
  })
})

describe('settings', () => {
  /** Returns the names of all settings in the source code of the server. */
  const read = new Set(
    globSync('server/**/*.ts', { cwd: root })
      .flatMap((file) => [...textOf(file).matchAll(/(?:['`]|env\.)([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)\b/g)])
      .map(([, name = '']) => name),
  )

  // Settings that the server does not read: those of Node.js and of the PostgreSQL image.
  const others = ['NODE_ENV', 'POSTGRES_USER', 'POSTGRES_DB', 'POSTGRES_PASSWORD']

  const assigned = (file: string) => [
    ...new Set(
      [...textOf(file).matchAll(/(?:^|[\s=])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|PORT|HOST)\s?[=:](?!\/)/gm)].map(
        ([, name = '']) => name,
      ),
    ),
  ]

  test.each([
    'deploy/Dockerfile',
    'deploy/compose.yaml',
    'deploy/wechat-bind.service',
    'deploy/wechat-bind.env.example',
  ])('in %s are read by the server', (file) => {
    expect(assigned(file).length).toBeGreaterThan(1)
    expect(assigned(file).filter((name) => !read.has(name) && !others.includes(name))).toEqual([])
  })

  test.each(['docs/operations.md', 'docs/operations.zh-CN.md', 'SECURITY.md', 'SECURITY.zh-CN.md'])(
    'that %s names are read by the server',
    (file) => {
      const names = [...textOf(file).matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b[^`]*`/g)].map(([, name = '']) => name)
      expect(names.length).toBeGreaterThan(5)
      const isKnown = (name: string) => read.has(name) || others.includes(name) || name.startsWith('WEBHOOK_SECRET')
      expect([...new Set(names)].filter((name) => !isKnown(name))).toEqual([])
    },
  )

  test.each(['docs/api.md', 'docs/api.zh-CN.md'])('are all in the table of %s', (file) => {
    const config = ['config', 'webhook-receivers', 'wechat-settings']
      .map((name) => textOf(`server/config/${name}.ts`))
      .join('')
    const names = [...config.matchAll(/(?:reader\.\w+\(['`]|env\.)([A-Z][A-Z0-9_]+)/g)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(20)
    expect([...new Set(names)].filter((name) => !textOf(file).includes(`\`${name}`))).toEqual([])
  })

  test('in the example file are valid after the placeholders are filled in', () => {
    const lines = textOf('deploy/wechat-bind.env.example').split('\n')
    const env = Object.fromEntries(
      lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split('=') as [string, string]),
    )
    const filled = {
      ...env,
      WECHAT_APP_ID: 'wx1234567890abcdef',
      WECHAT_APP_SECRET: 'secret',
      WECHAT_TOKEN: 'token',
      WECHAT_ENCODING_AES_KEY: 'a'.repeat(43),
      BIND_KEYS: `k1:${'a'.repeat(42)}A`,
    }
    expect(parseConfig(filled)).toMatchObject({ publicUrl: 'https://bind.example', rules: { confirm: 'off' } })
  })
})

describe('the backup', () => {
  const commandsIn = (page: string) => [...textOf(page).matchAll(/^wechat-bind backup .*$/gm)].map(([line]) => line)

  test('has the same command in both languages, and copies a database that is in use', async () => {
    const commands = commandsIn('docs/operations.md')
    expect(commands).toHaveLength(1)
    expect(commandsIn('docs/operations.zh-CN.md')).toEqual(commands)
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-backup-'))
    const DATABASE_URL = `sqlite:${join(folder, 'wechat-bind.db')}`
    const testServer = await openTestServer({ DATABASE_URL })
    await testServer.ticketUrl()
    const bin = `"${process.execPath}" "${join(root, 'server/cli.ts')}"`
    const here = commands[0]!.replace('/var/backups/wechat-bind', folder).replace('wechat-bind', bin)
    execFileSync('sh', ['-c', here], { env: { PATH: process.env.PATH, DATABASE_URL } })
    await testServer.close()
    const [copy = ''] = readdirSync(folder).filter((name) => /^\d{4}-\d\d-\d\d\.db$/.test(name))
    // The copy contains openids, so no other user may read it.
    expect(statSync(join(folder, copy)).mode & 0o777).toBe(0o600)
    const backup = new DatabaseSync(join(folder, copy), { readOnly: true })
    expect(backup.prepare('select count(*) as tickets from tickets').get()).toEqual({ tickets: 1 })
    backup.close()
    rmSync(folder, { recursive: true })
  })
})

describe('package-lock.json', () => {
  type Package = { dev?: boolean; hasInstallScript?: boolean; integrity?: string; link?: boolean }

  test('contains a hash for each dependency, and no dependency with an install script', () => {
    const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Package> }
    // Linked packages are part of this repository.
    const all = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link)
    const shipped = all.filter(([, { dev }]) => !dev)
    expect(shipped.length).toBeGreaterThan(20)
    expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([])
    expect(all.filter(([, { integrity }]) => !integrity).map(([path]) => path)).toEqual([])
  })
})
