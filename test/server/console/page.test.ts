/** The files of the console's page, and where the console can be mounted. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConsole } from '../../../server/console/console.ts'
import { readConsolePage } from '../../../server/console/page-files.ts'
import { CONSOLE_TOKENS, TOKENS } from '../../support/console-client.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let folder: string
let testServer: TestServer
let mounts: Record<string, Hono>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-console-'))
  mkdirSync(join(folder, 'page/assets'), { recursive: true })
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html><title>console</title>')
  writeFileSync(join(folder, 'page/assets/main-1a2b.js'), 'document.title')
  writeFileSync(join(folder, 'secret.md'), 'outside')
  testServer = await openTestServer({ CONSOLE_TOKENS })
  const console = { ...testServer.deps.console, page: readConsolePage([join(folder, 'none'), join(folder, 'page')]) }
  mounts = {
    '/': createConsole({ ...testServer.deps, console }),
    '/ops/console/': new Hono().route('/ops/console', createConsole({ ...testServer.deps, console })),
  }
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await testServer.close()
})

describe.each(['/', '/ops/console/'])('the console at %s', (mount) => {
  const request = async (path: string, init?: RequestInit) => mounts[mount]!.request(`http://localhost${path}`, init)
  const get = (path: string, headers: Record<string, string> = {}) => request(path, { headers })

  test('serves its page with a strict content policy, and its scripts with a cache lifetime of a year', async () => {
    const page = await get(mount)
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html><title>console</title>'])
    expect(page.headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(page.headers.get('Cache-Control')).toBe('no-cache')
    expect((await get(mount, { 'If-None-Match': page.headers.get('ETag')! })).status).toBe(304)
    const script = await get(`${mount}assets/main-1a2b.js`)
    expect(script.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('Cache-Control')).toContain('immutable')
  })

  test('signs in with a cookie for its own path', async () => {
    const response = await request(`${mount}api/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: TOKENS.vera }),
    })
    const cookie = response.headers.get('Set-Cookie')!
    expect(cookie).toContain(`Path=${mount};`)
    expect((await get(`${mount}api/meta`, { Cookie: cookie.split(';')[0]! })).status).toBe(200)
  })

  test.each(['assets/none.js', '../secret.md', '%2e%2e/secret.md', 'assets/..%2f..%2fsecret.md', 'assets', 'api/none'])(
    'serves nothing at %s',
    async (path) => {
      const { status } = await get(mount + path)
      expect([401, 404]).toContain(status)
    },
  )
})

test('the path of the mount without its slash redirects to the page', async () => {
  const { status, headers } = await mounts['/ops/console/']!.request('http://localhost/ops/console')
  expect([status, headers.get('Location')]).toEqual([308, 'console/'])
})

test('the console answers 404 and names the build command if the page is not built', async () => {
  const console = { ...testServer.deps.console, page: readConsolePage([join(folder, 'none')]) }
  const response = await createConsole({ ...testServer.deps, console }).request('http://localhost/')
  expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('npm run build')])
})
