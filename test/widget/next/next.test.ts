/**
 * Installs the example for Next.js (app router) with the packed `wechat-bind`, builds and starts it, and uses it in a
 * browser.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consoleErrorsOf, type Fixture, openFixture } from '../../support/browser-fixture.ts'
import { launchOptions } from '../../support/chromium.ts'
import { BOUND_AT } from '../../support/fake-bind.ts'
import { pack, root } from '../../support/packages.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-next-'))
const app = join(folder, 'app')
const next = join(app, 'node_modules/next/dist/bin/next')
const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' } as NodeJS.ProcessEnv

let browser: Browser
let fixture: Fixture
let server: ChildProcess
let url: string

beforeAll(async () => {
  fixture = await openFixture()
  const tarball = await pack('wechat-bind', folder)
  cpSync(join(root, 'docs/examples/next'), app, { recursive: true })
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))
  manifest.dependencies['wechat-bind'] = `file:${tarball}`
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
  const run = promisify(execFile)
  await run('npm', ['install', '--no-audit', '--no-fund', '--include=dev'], { cwd: app })
  const built = { ...env, NEXT_PUBLIC_BIND_SERVER: fixture.url }
  await run(process.execPath, [next, 'build'], { cwd: app, env: built }).catch(({ stdout, stderr, message }) => {
    throw new Error(`${message}\n${stdout}\n${stderr}`)
  })
  server = spawn(process.execPath, [next, 'start', '--port', '0', '--hostname', '127.0.0.1'], { cwd: app, env })
  url = await new Promise<string>((resolve, reject) => {
    server.once('exit', () => reject(new Error('the process "next start" has ended')))
    server.stdout?.on('data', (text: Buffer) => {
      const found = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(text.toString())
      if (found) resolve(found[0])
    })
  })
  browser = await chromium.launch(await launchOptions())
})

afterAll(async () => {
  await browser?.close()
  if (server && server.exitCode === null) {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  await fixture?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the example for Next.js', () => {
  test('sends the tag with its attributes from the server', async () => {
    const html = await (await fetch(url)).text()
    expect(html).toContain(`<wechat-bind id="card" server="${fixture.url}" theme="light" watch="">`)
    expect(html).toContain(
      `<wechat-bind class="plain" server="${fixture.url}" token-url="/my/wechat-token" display="button" lang="en">`,
    )
  })

  test('binds after hydration, and its functions, texts, listeners and ref work', async () => {
    const context = await browser.newContext({ locale: 'en' })
    const consoleErrors = consoleErrorsOf(context)
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    await page.goto(url)
    await page.getByText('Notifications in WeChat').waitFor()
    await page.locator('#card [part=qr]').waitFor()
    await expect.poll(() => fixture.bind.waitingPolls).toBe(1)
    await page.getByRole('button', { name: 'New QR code' }).click()
    await expect.poll(() => fixture.bind.requests.filter((each) => each === 'POST qrcode').length).toBe(2)
    await expect.poll(() => fixture.bind.waitingPolls).toBe(1)
    fixture.bind.bind()
    await page.getByText(`bound ${BOUND_AT}`).waitFor()
    await page.locator('.plain [part=button]').waitFor()
    expect(consoleErrors).toEqual([])
    await context.close()
  })
})
