/** Compiles each example with the type checker of its framework, then uses the example in a browser. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Hono } from 'hono'
import { build, type Plugin } from 'vite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { sharedBrowser } from '../../support/browser.ts'
import { consoleErrorsOf, inState, openFixture, STRICT } from '../../support/browser-fixture.ts'
import { BOUND_AT } from '../../support/fake-bind.ts'

const folderOf = (name: string) => join(import.meta.dirname, '../../../docs/examples', name)

/**
 * Resolves a file of a package from the example's folder, because this folder may have another version of TypeScript.
 */
const resolveFor = (name: string, file: string) => createRequire(join(folderOf(name), 'package.json')).resolve(file)

async function run(name: string, ...command: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, command, { cwd: folderOf(name) }).catch(({ stdout, stderr, message }) => {
    throw new Error(stdout || stderr || message)
  })
}

const tsc = resolveFor('react-18', 'typescript/package.json').replace('package.json', 'bin/tsc')

let angularIsCompiled = false

/**
 * The output folder of Angular's compiler. It is inside the example's folder, so that the imports of the output
 * resolve.
 */
const angularModules = join(folderOf('angular'), 'node_modules')
mkdirSync(angularModules, { recursive: true })
const angularOut = mkdtempSync(join(angularModules, '.out-'))

const checkers: Record<string, () => Promise<void>> = {
  'react-18': () => run('react-18', tsc, '--skipDefaultLibCheck'),
  'react-19': () => run('react-19', tsc, '--skipDefaultLibCheck'),
  vue: () =>
    run(
      'vue',
      '--eval',
      `require('vue-tsc').run(require.resolve('typescript/lib/tsc.js'))`,
      '--',
      'vue-tsc',
      '-p',
      '.',
    ),
  svelte: () => run('svelte', resolveFor('svelte', 'svelte-check/bin/svelte-check'), '--fail-on-warnings'),
  angular: () => {
    angularIsCompiled = true
    const ngc = resolveFor('angular', '@angular/compiler-cli/package.json').replace(
      'package.json',
      'bundles/src/bin/ngc.js',
    )
    return run('angular', ngc, '-p', '.', '--outDir', angularOut)
  },
}

/** Angular publishes partially compiled libraries. This plugin links them, as Angular's own builder does. */
async function angularLinker(): Promise<Plugin> {
  const { default: linker } = await import(resolveFor('angular', '@angular/compiler-cli/linker/babel'))
  const { transformAsync } = await import(resolveFor('angular', '@babel/core'))
  return {
    name: 'angular-linker',
    async transform(code, id) {
      if (!code.includes('ɵɵngDeclare')) return undefined
      const linked = await transformAsync(code, { filename: id, plugins: [linker], compact: false, configFile: false })
      return { code: linked.code, map: null }
    },
  }
}

/** Bundles the example with the example's own configuration. */
async function bundle(name: string, entry: string): Promise<string> {
  const root = folderOf(name)
  const start = '\0start'
  const code = `import ${JSON.stringify(entry)}`
  const built = await build({
    root,
    logLevel: 'error',
    plugins: [
      { name: 'start', resolveId: (id) => (id === 'start' ? start : null), load: (id) => (id === start ? code : null) },
      ...(name === 'angular' ? [await angularLinker()] : []),
    ],
    build: { write: false, rolldownOptions: { input: 'start' } },
  })
  return (built as { output: { code: string }[] }).output[0]?.code ?? ''
}

const browser = await sharedBrowser()
beforeAll(async () => {
  // During a test, Vite builds for development unless this mode is set.
  vi.stubEnv('NODE_ENV', 'production')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(angularOut, { recursive: true })
})

/** Mounts the example, binds, unbinds, removes the element and adds it again. */
async function use(more: Hono, head: string, body?: string): Promise<void> {
  more.get('/my/wechat-token', (c) => c.json({ token: 'token' }))
  const fixture = await openFixture({ more, head, body: body ?? '', policy: STRICT })
  const context = await browser.newContext({ locale: 'en' })
  const consoleErrors = consoleErrorsOf(context)
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(`${fixture.url}${body === undefined ? '' : '/page'}`)
    await inState(page, 'ready')
    const card = page.locator('wechat-bind')
    await page.getByText('Notifications in WeChat').waitFor()
    expect(await card.evaluate(({ theme }: HTMLElement & { theme?: string }) => theme)).toBe('light')

    fixture.bind.bind()
    await page.getByText(`bound ${BOUND_AT}`).waitFor()
    await card.getByRole('button').click()
    await card.getByRole('button').last().click()
    await page.getByText('unbound widget').waitFor()
    await inState(page, 'ready')

    await page.getByRole('button', { name: 'WeChat', exact: true }).click()
    await card.waitFor({ state: 'detached' })
    await expect.poll(() => fixture.bind.waitingPolls).toBe(0)
    await page.getByRole('button', { name: 'WeChat', exact: true }).click()
    await inState(page, 'ready')
    expect(consoleErrors).toEqual([])
  } catch (cause) {
    throw new Error(`Errors in the page's console: ${consoleErrors.join('; ') || 'none'}`, { cause })
  } finally {
    await context.close()
    await fixture.close()
  }
}

describe.each(Object.keys(checkers))('the example for %s', (name) => {
  test('has correct types', async () => {
    await expect(checkers[name]?.()).resolves.toBeUndefined()
  })

  test('binds, receives the event, and leaves no request or listener', async () => {
    const entry = { angular: join(angularOut, 'main.js'), vue: './main.ts', svelte: './main.ts' }[name] ?? './main.tsx'
    if (name === 'angular' && !angularIsCompiled) await checkers.angular?.()
    const code = await bundle(name, entry.startsWith('/') ? entry : join(folderOf(name), entry))
    const more = new Hono().get('/main.js', (c) => c.body(code, 200, { 'Content-Type': 'text/javascript' }))
    await use(more, '<script type="module" src="/main.js"></script>')
  })
})

// The checkers of Vue and Svelte skip the type declarations of packages, as in a new project of these frameworks.
// Therefore this test compiles the declarations.
test('the type declarations for Vue and Svelte compile without errors', async () => {
  const declarations = ['vue', 'svelte'].map((name) =>
    join(import.meta.dirname, `../../../widget/dist/widget/frameworks/${name}.d.ts`),
  )
  const options = '--ignoreConfig --noEmit --strict --skipDefaultLibCheck --moduleResolution bundler --module esnext'
  await expect(
    run('vue', tsc, ...options.split(' '), '--lib', 'es2022,dom,dom.iterable', '--types', '', ...declarations),
  ).resolves.toBeUndefined()
})

describe('the example in plain HTML', () => {
  test('binds, receives the event, and leaves no request or listener', async () => {
    const read = (file: string) => readFileSync(join(folderOf('html'), file), 'utf8')
    const more = new Hono()
      .get('/page', (c) => c.html(read('index.html'), 200, { 'Content-Security-Policy': STRICT }))
      .get('/main.js', (c) => c.body(read('main.js'), 200, { 'Content-Type': 'text/javascript' }))
    await use(more, '', '')
  })
})
