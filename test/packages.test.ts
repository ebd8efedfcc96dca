/**
 * Installs the packages `wechat-bind` and `wechat-bind-server` in an empty folder, and checks them with publint and
 * arethetypeswrong.
 */
import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Installed, install, manifestIn, type PackageName, pack, packages, root } from './support/packages.ts'
import { SECRET } from './support/test-server.ts'

const run = promisify(execFile)
const names = Object.keys(packages) as PackageName[]
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-packages-'))
const tarballs = {} as Record<PackageName, string>
let site: Installed
let machine: Installed

beforeAll(async () => {
  for (const name of names) tarballs[name] = await pack(name, folder)
  site = install({ 'wechat-bind': tarballs['wechat-bind'] })
  machine = install({ 'wechat-bind-server': tarballs['wechat-bind-server'] })
})
afterAll(() => {
  rmSync(folder, { recursive: true })
  site.remove()
  machine.remove()
})

const manifests = Object.fromEntries(names.map((name) => [name, manifestIn(packages[name])]))

describe.each(names)('the package %s', (name) => {
  const bytes = () => new Uint8Array(readFileSync(tarballs[name]))

  test('has no publint findings', async () => {
    const { messages } = await publint({ pack: { tarball: bytes().buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, manifests[name] as Record<string, unknown>))).toEqual([])
  })

  test('has correct types for ESM programs', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(bytes()))
    if (!analysis.types) throw new Error('The package has no types.')
    // The package supports only ESM. Problems with CommonJS and with the resolution mode `node10` are expected.
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && /^node10$|cjs$/.test(problem.resolutionKind)),
    )
    expect(problems.map((problem) => problem.kind)).toEqual([])
  })

  test('contains built files and its licence, but no sources, tests or settings', () => {
    const files = createPackageFromTarballData(bytes())
      .listFiles()
      .map((path) => path.replace(`/node_modules/${name}/`, ''))
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']))
    expect(files.filter((path) => !/^(LICENSE|README(\.zh-CN)?\.md|package\.json|dist\/.+)$/.test(path))).toEqual([])
    expect(files.filter((path) => /(^|\/)test\/|\.env|\.db$|(?<!\.d)\.ts$/.test(path))).toEqual([])
  })

  test('has the version of the project and the same version ranges of dependencies', () => {
    const project = manifestIn(root)
    const { version, dependencies = {} } = manifests[name]!
    expect(version).toBe(project.version)
    for (const [dependency, range] of Object.entries(dependencies))
      expect(project.dependencies).toHaveProperty([dependency], range)
  })
})

describe('the project', () => {
  test('is private, and lists each dependency of the packages', () => {
    const { private: isPrivate, dependencies = {} } = manifestIn(root)
    expect(isPrivate).toBe(true)
    const brought = names.flatMap((name) => Object.keys(manifests[name]?.dependencies ?? {}))
    expect(Object.keys(dependencies).sort()).toEqual([...new Set(brought)].sort())
  })

  test('has the commands for installing its packages in every README', () => {
    for (const file of globSync('{README*.md,{widget,server}/README*.md,docs/start*.md}', { cwd: root }))
      expect(readFileSync(join(root, file), 'utf8'), file).toMatch(/npm install wechat-bind/)
  })
})

/** Code that removes the globals and methods that Node 18 lacks. */
const NEWER_THAN_18 = `
  for (const [holder, names] of [
    [globalThis, ['crypto', 'navigator', 'WebSocket', 'CustomEvent', 'Iterator']],
    [Promise, ['withResolvers', 'try']],
    [Object, ['groupBy']],
    [Map, ['groupBy']],
    [Array, ['fromAsync']],
    [Array.prototype, ['toSorted', 'toReversed', 'toSpliced', 'with']],
    [String.prototype, ['isWellFormed', 'toWellFormed']],
    [Set.prototype, ['union', 'intersection', 'difference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom']],
    [Object.getPrototypeOf(Object.getPrototypeOf([].values())), ['map', 'filter', 'take', 'drop', 'toArray', 'find']],
    [AbortSignal, ['any']],
    [URL, ['parse']],
    [Uint8Array, ['fromBase64', 'fromHex']],
    [Uint8Array.prototype, ['toBase64', 'toHex']],
    [RegExp, ['escape']],
  ]) for (const name of names) delete holder[name]
`

describe('the package wechat-bind in the folder of a site', () => {
  test('installs fewer than 12 packages, including itself', () => {
    expect(site.names).toContain('lit')
    expect(site.names.length).toBeLessThan(12)
  })

  test.each([
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])(
    'has types that a site with strict compiler options can use (module %s, resolution %s)',
    async (module, moduleResolution) => {
      await checkTypes(site, { module, moduleResolution, types: [] }, [
        `import { WechatBind, type BindEventMap, type Messages } from 'wechat-bind'`,
        `import 'wechat-bind/define'`,
        `import { BindError, createBindClient, type BindInfo, type WebhookPayload } from 'wechat-bind/client'`,
        `const element: WechatBind = document.createElement('wechat-bind')`,
        `element.addEventListener('bound', ({ detail }: BindEventMap['bound']) => console.log(detail.initial))`,
        `const bind = createBindClient({ server: 'https://bind.example', keyId: 'k1', key: '${SECRET}' })`,
        `export const info: Promise<BindInfo> = bind.getBindInfo({ account: 'acme', userId: '42' })`,
        `export type Kept = [BindError, Messages, WebhookPayload]`,
      ])
    },
  )

  test('has types for the tests of a site that has installed Playwright', async () => {
    symlinkSync(join(root, 'node_modules/@playwright'), join(site.folder, 'node_modules/@playwright'))
    const node = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] }
    await checkTypes(site, { module: 'node16', moduleResolution: 'node16', ...node }, [
      `import { defineConfig } from '@playwright/test'`,
      `import { expect, test, testKey, type Wechat, webServer } from 'wechat-bind/playwright'`,
      `export default defineConfig({ webServer: [webServer({ allowedOrigins: ['http://127.0.0.1:3000'] })] })`,
      `test('binds', async ({ wechat, bindUser, bind }) => {`,
      `  const phone: Wechat = wechat`,
      `  await phone.scan({ account: 'acme', userId: '42' }, { follow: false })`,
      `  await bindUser({ account: 'acme', userId: '42' })`,
      `  expect((await bind.getBindInfo({ account: 'acme', userId: testKey.keyId })).IsBound).toBe(true)`,
      `})`,
    ])
  })

  test('issues a token and calls the server on a runtime that has only the functions of Node 18', async () => {
    const code = `
      import { BindError, createBindClient } from 'wechat-bind/client'
      const fetch = async (url) => new Response('not encrypted', { status: 502 })
      const bind = createBindClient({ server: 'https://bind.example', keyId: 'k1', key: '${SECRET}', fetch })
      const token = await bind.mintToken({ account: 'acme', userId: '42' })
      const { code } = await bind.getBindInfo({ account: 'acme', userId: '42' }).catch((error) => error)
      console.log(JSON.stringify([token.split('.').length, code]))
    `
    const { stdout } = await run(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(NEWER_THAN_18)}`, '--input-type=module', '--eval', code],
      { cwd: site.folder },
    )
    expect(JSON.parse(stdout)).toEqual([5, 'UNREACHABLE'])
  })
})

describe('the package wechat-bind-server on a machine', () => {
  test.each([
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])(
    'has types that a server with strict compiler options can use (module %s, resolution %s)',
    async (module, moduleResolution) => {
      await checkTypes(
        machine,
        { module, moduleResolution, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
        [
          `import { createApp, type Deps, openApp, parseConfig } from 'wechat-bind-server'`,
          `import { createSimulator, createSimulatorClient } from 'wechat-bind-server/simulator'`,
          `export const open = () => openApp(parseConfig({}), { log: console as never })`,
          `export const mount = (deps: Deps) => createApp(deps)`,
          `export const scan = () => createSimulatorClient('http://127.0.0.1:4000/simulator').phone('amy').scan()`,
          `export const name: string = createSimulator({ callbackUrl: 'http://127.0.0.1' }).account.name`,
        ],
      )
    },
  )

  test('has the command wechat-bind, which prints its version', async () => {
    const { stdout } = await run(process.execPath, [join(machine.folder, 'node_modules/.bin/wechat-bind'), '--version'])
    expect(stdout).toBe(`${manifestIn(root).version}\n`)
  })
})

/**
 * Compiles lines of TypeScript in a folder. All compiler checks are on, and the type declarations of the packages are
 * checked, too.
 */
async function checkTypes({ folder }: Installed, options: object, lines: string[]): Promise<void> {
  writeFileSync(join(folder, 'main.ts'), `${lines.join('\n')}\n`)
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2023', 'dom'],
    skipDefaultLibCheck: true,
    ...options,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', folder]).catch(({ stdout }) => {
    throw new Error(stdout)
  })
  expect(lines.length).toBeGreaterThan(0)
}
