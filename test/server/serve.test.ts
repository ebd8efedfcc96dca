/** Runs `serve` as a process, with real sockets and signals. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSimulator } from '../../demo/simulator/simulator.ts'
import { createBindClient } from '../../server/client.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { startServer } from '../../server/serve.ts'
import { compileCache } from '../support/compile-cache.ts'
import { CONSOLE_TOKENS, TOKENS } from '../support/console-client.ts'
import { openTestServer, SECRET, type TestServer } from '../support/test-server.ts'

const cli = join(import.meta.dirname, '../../server/cli.ts')

let folder: string
let wechat: Awaited<ReturnType<typeof startListening>>
let simulator: ReturnType<typeof createSimulator>
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  simulator = createSimulator()
  wechat = await startListening(simulator.app, '127.0.0.1', 0)
})

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  simulator.close()
  await stopListening(wechat.server)
  rmSync(folder, { recursive: true })
})

async function firstCursor(console: string | undefined, cookie: string): Promise<string> {
  const response = await fetch(`${console}/api/live?wait=0`, { headers: { cookie } })
  return ((await response.json()) as { cursor: string }).cursor
}

/** Starts `serve`; resolves once it logs its URL. */
async function serve(more: Record<string, string> = {}) {
  const { account } = simulator
  const child = spawn(process.execPath, [cli, 'serve'], {
    env: {
      ...compileCache,
      WECHAT_APP_ID: account.appId,
      WECHAT_APP_SECRET: account.appSecret,
      WECHAT_TOKEN: account.token,
      WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
      WECHAT_API_BASE: wechat.url,
      BIND_KEYS: `k1:${SECRET}`,
      DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
      PORT: '0',
      ...more,
    },
  })
  children.push(child)
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    const { url, ops, console } = JSON.parse(line) as { url?: string; ops?: string; console?: string }
    if (url)
      return { child, url, ops, console, lines, client: createBindClient({ server: url, keyId: 'k1', key: SECRET }) }
  }
  throw new Error('serve exited before it listened')
}

const subject = { account: 'acme', userId: 'u1' }

/** Sends a long-poll on its own socket; `answered` resolves with the raw answer. */
async function park(url: string, token: string) {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.setEncoding('utf8')
  let answer = ''
  socket.on('data', (text: string) => {
    answer += text
  })
  socket.write(
    `GET /widget/binding HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIf-None-Match: "0"\r\nPrefer: wait=25\r\n\r\n`,
  )
  await once(socket, 'ready')
  return { socket, answered: once(socket, 'close').then(() => answer) }
}

describe('serve', () => {
  test('binds over real HTTP, and still has the binding after a restart', async () => {
    const first = await serve()
    simulator.setCallbackUrl(`${first.url}/wechat/callback`)
    const { Url } = await first.client.getQrCode(subject)
    await simulator.phone('amy').scan(Url)
    expect(await simulator.phone('amy').follow()).toMatchObject({ kind: 'text' })
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const second = await serve()
    // The version may be 2, because the server asks WeChat for the unionid after the binding.
    expect(await second.client.getBindInfo(subject)).toMatchObject({ IsBound: true, IsSubscribed: true })
  })

  test('answers /healthz and /readyz', async () => {
    const { url } = await serve()
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      status: 'ok',
      checks: { store: 'ok', wechat: 'ok' },
    })
  })

  test('is not ready when WeChat refuses the access token', async () => {
    const { url } = await serve()
    simulator.faults.fail('/cgi-bin/stable_token', 40164, 9)
    const response = await fetch(`${url}/readyz`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ checks: { store: 'ok', wechat: 'WECHAT_FORBIDDEN' } })
  })

  test('serves metrics and probes on OPS_PORT only, the console on CONSOLE_PORT only, and the rest on PORT only', async () => {
    const { child, url, ops, console } = await serve({ OPS_PORT: '0', CONSOLE_PORT: '0', CONSOLE_TOKENS })
    const statusOf = async (base: string | undefined, path: string) => (await fetch(`${base}${path}`)).status
    expect(ops).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(ops).not.toBe(url)
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      expect([path, await statusOf(ops, path), await statusOf(url, path)]).toEqual([path, 200, 404])
    }
    expect(console).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const path of ['/api/session', '/api/meta', '/console', '/console/', '/console/api/session']) {
      expect([path, await statusOf(ops, path), await statusOf(url, path)]).toEqual([path, 404, 404])
    }
    for (const path of ['/metrics', '/widget/binding', '/wechat/callback', '/openapi.json']) {
      expect([path, await statusOf(console, path)]).toEqual([path, 404])
    }
    const body = JSON.stringify({ token: TOKENS.vera })
    const headers = { 'Content-Type': 'application/json' }
    const signedIn = await fetch(`${console}/api/session`, { method: 'POST', headers, body })
    const [cookie = ''] = signedIn.headers.getSetCookie()
    const live = fetch(`${console}/api/live?wait=25&after=${await firstCursor(console, cookie)}`, {
      headers: { cookie },
    })
    for (const [path, status] of [
      ['/openapi.json', 200],
      ['/widget/binding', 401],
      ['/wechat/callback', 403],
    ] as const) {
      expect([path, await statusOf(ops, path), await statusOf(url, path)]).toEqual([path, 404, status])
    }
    // Both listeners report to one registry.
    const metrics = await (await fetch(`${ops}/metrics`)).text()
    expect(metrics).toMatch(/http_requests_total\{route="\/widget\/binding",status="401"\} 1/)
    expect(metrics).toContain('nodejs_eventloop_lag_p99_seconds')
    // Counting the handles of thousands of pages would delay the event loop.
    expect(metrics).not.toContain('nodejs_active_')
    child.kill('SIGTERM')
    // A page that waits for events does not delay the end.
    expect(await (await live).json()).toMatchObject({ events: [] })
    expect((await once(child, 'exit'))[0]).toBe(0)
  })

  test('says which setting to change when its port or its address cannot be used', async () => {
    const { account } = simulator
    const { port } = new URL(wechat.url)
    const start = (more: Record<string, string>) =>
      startServer({
        WECHAT_APP_ID: account.appId,
        WECHAT_APP_SECRET: account.appSecret,
        WECHAT_TOKEN: account.token,
        WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
        BIND_KEYS: `k1:${SECRET}`,
        DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
        HOST: '127.0.0.1',
        PORT: '0',
        LOG_LEVEL: 'silent',
        ...more,
      })
    await expect(start({ PORT: port })).rejects.toThrow(`PORT: port ${port} is in use`)
    await expect(start({ OPS_PORT: port })).rejects.toThrow(`OPS_PORT: port ${port} is in use`)
    await expect(start({ HOST: '192.0.2.1' })).rejects.toThrow('HOST: this machine does not have the address')
    // Each failed start has released the store and the other port.
    const { close } = await start({})
    await close()
  })

  test('warns at the start if bindings belong to another account', async () => {
    const first = await serve()
    simulator.setCallbackUrl(`${first.url}/wechat/callback`)
    const { Url } = await first.client.getQrCode(subject)
    if ((await simulator.phone('amy').scan(Url)) === 'follow') await simulator.phone('amy').follow()
    first.child.kill('SIGTERM')
    await once(first.child, 'exit')
    const { lines } = await serve({ WECHAT_APP_ID: 'wx0000000000000000' })
    expect(lines.filter((line) => line.includes('belong to another account'))).toEqual([
      expect.stringContaining('"bindings":1'),
    ])
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('answers waiting pages on %s and exits with 0', async (signal) => {
    const { child, url, client } = await serve()
    const token = await client.mintToken(subject)
    const { answered } = await park(url, token)
    // The poll waits once a later request is answered.
    await fetch(`${url}/healthz`)
    child.kill(signal)
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    expect(await answered).toMatch(/^HTTP\/1\.1 304 /)
  })
})

describe('startListening', () => {
  test('removes a waiter as soon as its client disconnects', async () => {
    const testServer = await openTestServer()
    const { server, url } = await startListening(testServer.app, '127.0.0.1', 0)
    const { socket, answered } = await park(url, await testServer.client.mintToken(subject))
    await waiterCount(testServer, 1)
    socket.destroy()
    await answered
    // The clock of this test server does not advance, so only the disconnect can end the wait.
    await waiterCount(testServer, 0)
    expect(testServer.time.pending()).toBe(0)
    await stopListening(server)
    await testServer.close()
  })
})

async function waiterCount(testServer: TestServer, count: number): Promise<void> {
  while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
}
