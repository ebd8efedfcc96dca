/**
 * Runs the Playwright examples of docs/simulator.md with Playwright's own runner. The folder contains a small site with
 * the installed packages.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../deploy/ports.ts'
import { launchOptions } from '../support/chromium.ts'
import { type Installed, install, pack, root } from '../support/packages.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-site-'))
let site: Installed

/** The site of the example. It has a page and a token endpoint, and every visitor is the user 42. */
const SERVER = `
import { createServer } from 'node:http'
import { createBindClient } from 'wechat-bind/client'

const { PORT, BIND_SERVER: server, BIND_KEY: key } = process.env
const bind = createBindClient({ server, keyId: 'test', key })
const page = \`<!doctype html><title>Account</title><script type="module" src="\${server}/wechat-bind.js"></script>
  <wechat-bind server="\${server}" token-url="/token" watch></wechat-bind>\`
createServer(async ({ url }, response) => {
  if (url !== '/token') return response.setHeader('Content-Type', 'text/html').end(page)
  response.end(JSON.stringify({ token: await bind.mintToken({ account: 'acme', userId: '42' }) }))
}).listen(Number(PORT), '127.0.0.1')
`

const [example = '', config = '', spec = ''] = [
  ...readFileSync(join(root, 'docs/simulator.md'), 'utf8').matchAll(/```(?:ts|js)\n([\s\S]*?)```/g),
].map(([, code = '']) => code)

type Report = { stats: { expected: number; unexpected: number; flaky: number }; errors: { message: string }[] }

/** Runs Playwright in the site's folder, without the environment variables of this test run. */
async function runPlaywright(args: string[]): Promise<Report['stats']> {
  const { PATH = '', HOME = '', LD_LIBRARY_PATH, FONTCONFIG_PATH } = process.env
  const env = {
    PATH,
    HOME,
    CI: '1',
    ...(LD_LIBRARY_PATH && { LD_LIBRARY_PATH }),
    ...(FONTCONFIG_PATH && { FONTCONFIG_PATH }),
  }
  const command = [join(site.folder, 'node_modules/@playwright/test/cli.js'), 'test', '--reporter=json', ...args]
  const stdout = await new Promise<string>((resolve) =>
    execFile(process.execPath, command, { cwd: site.folder, env, maxBuffer: 1e7 }, (_, stdout) => resolve(stdout)),
  )
  const { stats, errors }: Report = JSON.parse(stdout)
  if (stats.unexpected + errors.length > 0) throw new Error(stdout)
  return stats
}

beforeAll(async () => {
  const names = ['wechat-bind', 'wechat-bind-server'] as const
  const [element = '', server = ''] = await Promise.all(names.map((name) => pack(name, folder)))
  site = install({ 'wechat-bind': element, 'wechat-bind-server': server })
  symlinkSync(join(root, 'node_modules/@playwright'), join(site.folder, 'node_modules/@playwright'))
  const [sitePort, bindPort] = [await freePort(), await freePort()]
  const { executablePath, args } = await launchOptions()
  const launch = `launchOptions: ${JSON.stringify({ executablePath, args })}`
  const settings = config
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${sitePort}`)
    .replace('port: 4000', `port: ${bindPort}`)
    .replace('BIND_KEY:', `PORT: '${sitePort}', BIND_KEY:`)
    .replace('use: {', `use: { ${launch},`)
  writeFileSync(join(site.folder, 'playwright.config.js'), settings)
  writeFileSync(join(site.folder, 'server.js'), SERVER)
  writeFileSync(join(site.folder, 'notifications.spec.js'), spec)
  // The example for other test runners uses no fixtures and needs only the URL of the demo.
  const plain = `import { test } from '@playwright/test'\n${example.replace('process.env.BIND_SERVER', `'http://127.0.0.1:${bindPort}'`)}`
  writeFileSync(join(site.folder, 'plain.spec.js'), plain)
})

afterAll(() => {
  site.remove()
  rmSync(folder, { recursive: true })
})

describe('wechat-bind/playwright', () => {
  test('runs the examples of the documentation twice against one demo, in a site with the installed packages', async () => {
    expect(await runPlaywright(['--repeat-each=2', '--workers=1'])).toMatchObject({ expected: 8, flaky: 0 })
    // The time limit is long, because the test starts two servers, a browser and Playwright.
  })
})
