/** Renders `wechat-bind/react` to a string on a server, hydrates it in a browser and uses it, with React 18 and 19. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Hono } from 'hono'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { sharedBrowser } from '../../support/browser.ts'
import { consoleErrorsOf, inState, openFixture, STRICT } from '../../support/browser-fixture.ts'
import { BOUND_AT } from '../../support/fake-bind.ts'

const root = join(import.meta.dirname, '../../..')
const card = join(root, 'docs/examples/next/app/wechat-card.tsx')

/** The output folder. It is inside the checkout, so that the bundle's imports resolve. */
const out = mkdtempSync(join(root, 'node_modules/.react-ssr-'))

const browser = await sharedBrowser()
beforeAll(async () => {
  // During a test, Vite builds for development unless this mode is set.
  vi.stubEnv('NODE_ENV', 'production')
})
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(out, { recursive: true })
})

/** Bundles `code`. Resolves React and `wechat-bind` from the folder of the example for this version. */
async function bundle(version: string, code: string, isServer: boolean): Promise<string> {
  const { resolve } = createRequire(join(root, `docs/examples/${version}/package.json`))
  const packageOf = (name: string) => resolve(`${name}/package.json`).replace(/\/package\.json$/, '')
  const entry = '\0entry'
  const built = await build({
    configFile: false,
    root,
    logLevel: 'error',
    plugins: [
      { name: 'entry', resolveId: (id) => (id === 'entry' ? entry : null), load: (id) => (id === entry ? code : null) },
    ],
    resolve: {
      alias: [
        ...['react-dom', 'react'].map((name) => ({
          find: new RegExp(`^${name}(?=/|$)`),
          replacement: packageOf(name),
        })),
        { find: /^wechat-bind\/react$/, replacement: join(root, 'dist/widget/react.js') },
      ],
    },
    ssr: { noExternal: true, external: [] },
    build: {
      write: isServer,
      outDir: out,
      ssr: isServer,
      emptyOutDir: false,
      rolldownOptions: { input: 'entry', output: { entryFileNames: `${version}.mjs` } },
    },
  })
  return (built as { output: { code: string }[] }).output[0]!.code
}

const markup = `
  import { createElement } from 'react'
  import { WechatCard } from ${JSON.stringify(card)}
  import { WechatBind } from 'wechat-bind/react'
  const tag = { className: 'plain', tokenUrl: '/my/wechat-token', refreshMode: 'manual', manual: true, watch: false, lang: 'en' }
  const app = createElement('main', null,
    createElement(WechatCard),
    createElement(WechatBind, { ...tag, getToken: undefined, messages: { show: 'Show it' }, onBound() {}, 'aria-label': 'WeChat' }))`

describe.each(['react-18', 'react-19'])('wechat-bind/react in %s', (version) => {
  test('renders the tag with its attributes on a server, and sets properties and listeners after hydration', async () => {
    const server = await bundle(
      version,
      `import { renderToString } from 'react-dom/server'\n${markup}\nexport const html = renderToString(app)`,
      true,
    )
    expect(server).toContain('renderToString')
    const { html } = (await import(pathToFileURL(join(out, `${version}.mjs`)).href)) as { html: string }
    expect(html).toContain('<wechat-bind id="card" theme="light" watch="">')
    expect(html).toContain(
      '<wechat-bind class="plain" token-url="/my/wechat-token" refresh="manual" manual="" lang="en" aria-label="WeChat"></wechat-bind>',
    )

    const client = await bundle(
      version,
      `import { hydrateRoot } from 'react-dom/client'\n${markup}\nhydrateRoot(document.getElementById('app'), app)`,
      false,
    )
    const more = new Hono()
      .get('/my/wechat-token', (c) => c.json({ token: 'token' }))
      .get('/main.js', (c) => c.body(client, 200, { 'Content-Type': 'text/javascript' }))
    const fixture = await openFixture({
      more,
      head: '<script type="module" src="/main.js"></script>',
      body: `<div id="app">${html}</div>`,
      policy: STRICT,
    })
    const context = await browser.newContext({ locale: 'en' })
    const consoleErrors = consoleErrorsOf(context)
    try {
      const page = await context.newPage()
      page.setDefaultTimeout(15_000)
      await page.goto(fixture.url)
      await page.getByText('Notifications in WeChat').waitFor()
      await inState(page, 'ready')
      await expect.poll(() => fixture.bind.waitingPolls).toBe(1)
      fixture.bind.bind()
      await page.getByText(`bound ${BOUND_AT}`).waitFor()
      await page.getByRole('button', { name: 'New QR code' }).click()
      await page.locator('wechat-bind.plain').getByRole('button', { name: 'Show it' }).waitFor()
      expect(consoleErrors).toEqual([])
    } finally {
      await context.close()
      await fixture.close()
    }
  })
})
