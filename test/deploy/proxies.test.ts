/** Sends long-polls through nginx and Caddy. The tests of a proxy that is not installed are skipped. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../server/app.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { titleWith } from '../support/missing-tool.ts'
import { openTestServer, type TestServer } from '../support/test-server.ts'
import { root } from './dockerfile.ts'
import { freePort } from './ports.ts'
import { isInstalled, proxies, startProxy } from './proxies.ts'

describe.each(proxies)('deploy/$name', (proxy) => {
  const isThere = isInstalled(proxy.command)

  describe.skipIf(!isThere)(titleWith(proxy.command, isThere, 'with the program installed'), () => {
    let testServer: TestServer
    let server: Awaited<ReturnType<typeof startListening>>
    let child: ChildProcess
    let url: string
    let spare: string
    let folder: string
    /** Requests that the proxy has passed on. */
    let passedOn: string[] = []

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'wechat-bind-proxy-'))
      testServer = await openTestServer({ WECHAT_OAUTH: 'on', WECHAT_VERIFY_FILE: 'MP_verify_aB1.txt:aB1' })
      server = await startListening(createApp({ ...testServer.deps, trustProxy: true }), '127.0.0.1', 0)
      server.server.on('request', ({ url }) => passedOn.push(url ?? ''))
      const port = await freePort()
      spare = await freePort()
      child = await startProxy(proxy, { port, spare, upstream: new URL(server.url).host, folder })
      url = `http://127.0.0.1:${port}`
    })

    afterAll(async () => {
      child?.kill('SIGTERM')
      if (child) await once(child, 'exit')
      await stopListening(server.server)
      await testServer.close()
      rmSync(folder, { recursive: true, force: true })
    })

    const waiters = async (count: number) => {
      while (testServer.deps.waiters.count() !== count) await new Promise(setImmediate)
    }

    async function park(userId: string, signal?: AbortSignal): Promise<Response> {
      const token = await testServer.client.mintToken({ account: 'acme', userId })
      const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' }
      return fetch(`${url}/widget/binding`, { headers, signal: signal ?? null })
    }

    test('answers a waiting page as soon as its user is bound', async () => {
      const poll = park('u1')
      await waiters(1)
      await testServer.phone('amy').scan(await testServer.ticketUrl())
      await testServer.phone('amy').follow()
      expect(await (await poll).json()).toMatchObject({ state: 'bound' })
    })

    test('closes the request at the server when the page closes', async () => {
      const closing = new AbortController()
      const poll = park('u2', closing.signal)
      await waiters(1)
      closing.abort()
      await expect(poll).rejects.toThrow()
      // The clock of this test server does not advance, so only the disconnect can end the wait.
      await waiters(0)
    })

    test('gives each request an id, which the server uses', async () => {
      const response = await fetch(`${url}/widget/binding`, { headers: { 'X-Request-Id': 'of-the-client-itself' } })
      const id = response.headers.get('x-request-id') ?? ''
      expect(id).toMatch(/^[\w-]{32,36}$/)
      expect(await response.json()).toMatchObject({ requestId: id })
      expect(testServer.log.lines.join('\n')).toContain(id)
    })

    test('exposes only the paths that pages, products and WeChat need', async () => {
      const statusOf = async (path: string) => (await fetch(url + path)).status
      expect(await statusOf('/wechat/callback?signature=a')).toBe(403)
      expect(await statusOf('/widget/binding')).toBe(401)
      expect(await statusOf('/wechat/oauth?code=a&state=b')).toBe(410)
      expect(await (await fetch(`${url}/MP_verify_aB1.txt`)).text()).toBe('aB1')
      expect((await fetch(`${url}/api/WeChat/GetBindInfo`, { method: 'POST', body: 'x' })).status).toBe(401)
      for (const path of ['/metrics', '/readyz', '/healthz', '/'])
        expect([path, await statusOf(path)]).toEqual([path, 404])
    })

    /** The answer to a request with this target. Client libraries would change the target, so the request is written to a socket. */
    function ask(port: string, target: string, host = '127.0.0.1'): Promise<string> {
      const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1')
      let said = ''
      socket.on('data', (text: string) => {
        said += text
      })
      socket.on('error', () => {})
      const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(said)))
      socket.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'latin1')
      return closed
    }

    test('forwards no path that the server would interpret differently', async () => {
      const { port } = new URL(url)
      passedOn = []
      for (const path of ['/metrics', '/readyz', '/healthz', '/openapi.json']) {
        for (const target of [
          `/widget/x%2fy/../..${path}`,
          `/widget/x%2Fy/../..${path}`,
          `/api/WeChat/x%2fy/../../..${path}`,
          `/widget/..${path}`,
          `/widget/%2e%2e${path}`,
          `/widget/.%2e${path}`,
          `/widget/x/..%2f..${path}`,
          `/widget//..${path}`,
          `/widget/../${path}`,
          `/widget/..\\..${path}`,
          `/widget\\..${path}`,
          `/widget/%5c..${path}`,
          `/widget/..;${path}`,
          `/widget/#/../..${path}`,
          `/wechat/callback/..${path}`,
          `/./widget/..${path}`,
          `http://127.0.0.1/widget/x%2fy/../..${path}`,
          `/widget/x%252fy/../..${path}`,
          `/widget/x%00/../..${path}`,
        ]) {
          const said = await ask(port, target)
          expect([target, said]).toEqual([target, expect.stringMatching(/^HTTP\/1\.1 (400|404) /)])
        }
      }
      expect(passedOn).toEqual([])
      // Any character is allowed in the query.
      expect(await ask(port, '/wechat/callback?signature=%2f..//')).toMatch(/^HTTP\/1\.1 403 /)
      expect(passedOn).toEqual(['/wechat/callback?signature=%2f..//'])
    })

    // Caddy has its own redirect, to the name of the site.
    if (proxy.name === 'nginx.conf') {
      test('redirects to its own host name, whatever the header Host contains', async () => {
        const said = await ask(spare, '/widget/binding?a=1', 'evil.example')
        expect(said).toMatch(/\r\nLocation: https:\/\/bind\.example\/widget\/binding\?a=1\r\n/i)
      })
    }
  })
})

describe('deploy/nginx.conf and deploy/Caddyfile', () => {
  const textOf = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8')

  test('expose the same paths, and no internal path', async () => {
    const testServer = await openTestServer({ WECHAT_OAUTH: 'on', WECHAT_VERIFY_FILE: 'MP_verify_aB1.txt:aB1' })
    const [, list = ''] = /@public path (.+)/.exec(textOf('Caddyfile')) ?? []
    const locations = [...textOf('nginx.conf').matchAll(/location (= )?(\/\S+)/g)].map(([, exact, path]) =>
      exact ? path : `${path}*`,
    )
    expect(locations.sort()).toEqual(list.split(' ').sort())
    const isExposed = (path: string) =>
      locations.some((each) => (each?.endsWith('*') ? path.startsWith(each.slice(0, -1)) : path === each))
    const internal = new Set(
      testServer.app.routes.map(({ path }) => path).filter((path) => !path.endsWith('*') && !isExposed(path)),
    )
    expect([...internal].sort()).toEqual(['/healthz', '/metrics', '/openapi.json', '/readyz'])
    await testServer.close()
  })

  test('wait longer than the 25 s of a long-poll', () => {
    const waits = ['nginx.conf', 'Caddyfile'].map(
      (name) => /(?:proxy_read|response_header)_timeout (\d+)s/.exec(textOf(name))?.[1],
    )
    expect(Math.min(...waits.map(Number))).toBeGreaterThan(25)
  })
})

describe('deploy/wechat-bind.service', () => {
  const unit = join(root, 'deploy/wechat-bind.service')

  test('starts the command of the package', () => {
    const { bin } = JSON.parse(readFileSync(join(root, 'server/package.json'), 'utf8')) as {
      bin: Record<string, string>
    }
    const installed = '/opt/wechat-bind/node_modules/wechat-bind-server'
    expect(readFileSync(unit, 'utf8')).toContain(`${installed}/${bin['wechat-bind']} serve`)
  })

  const hasSystemd = isInstalled('systemd-analyze')
  const title = titleWith('systemd-analyze', hasSystemd, 'is valid for systemd, which rates its exposure below 2')

  test.skipIf(!hasSystemd)(title, () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-unit-'))
    const here = join(folder, 'wechat-bind.service')
    // systemd-analyze requires an existing program whose path has no quotation marks, so the program is reached by a symbolic link.
    const node = join(folder, 'node')
    symlinkSync(process.execPath, node)
    writeFileSync(here, readFileSync(unit, 'utf8').replace('/usr/bin/node', `"${node}"`))
    execFileSync('systemd-analyze', ['verify', here])
    rmSync(folder, { recursive: true })
    const rating = execFileSync('systemd-analyze', ['security', '--offline=true', unit], { encoding: 'utf8' })
    const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(rating) ?? []
    expect(Number(exposure)).toBeLessThan(2)
  })
})

describe('deploy/wechat-bind.sh', () => {
  test('runs any command like the service: with the same program, user, folder and settings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-run-'))
    writeFileSync(join(folder, 'systemd-run'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 })
    const PATH = `${folder}:${process.env.PATH}`
    const script = join(root, 'deploy/wechat-bind.sh')
    const given = execFileSync('sh', [script, 'token', 'acme', 'a user'], { env: { PATH }, encoding: 'utf8' }).split(
      '\n',
    )
    rmSync(folder, { recursive: true })
    expect(given.slice(-5)).toEqual([expect.stringMatching(/cli\.js$/), 'token', 'acme', 'a user', ''])
    // Without a terminal the output can be piped.
    expect(given).toContain('--pipe')
    const unit = readFileSync(join(root, 'deploy/wechat-bind.service'), 'utf8')
    const program = given.slice(given.indexOf('/usr/bin/node'), -4)
    for (const word of program) expect(unit).toContain(word)
    const settings = given.filter((word) => /^[A-Z]\w+=/.test(word))
    expect(settings).toHaveLength(5)
    for (const setting of settings) {
      const [name, value = ''] = setting.replace('=-', '=').split(/=(.*)/s)
      expect(unit).toMatch(new RegExp(`^${name}=.*${value}`, 'm'))
    }
  })
})

describe('deploy/alerts.yaml', () => {
  const hasPromtool = isInstalled('promtool')

  test.skipIf(!hasPromtool)(titleWith('promtool', hasPromtool, 'is a valid rule file for Prometheus'), () => {
    const output = execFileSync('promtool', ['check', 'rules', join(root, 'deploy/alerts.yaml')], { encoding: 'utf8' })
    expect(output).toMatch(/SUCCESS: \d\d rules found/)
  })
})
