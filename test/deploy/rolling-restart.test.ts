/**
 * Restarts two instances in turn behind the proxies of deploy/, under load. With nginx no request fails. Caddy does not pass a POST to
 * the other instance (https://github.com/caddyserver/caddy/issues/7546), so with Caddy the senders repeat it, as WeChat does.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Listening, startListening, stopListening } from '../../server/http/listen.ts'
import { titleWith } from '../support/missing-tool.ts'
import { openTestServer, type TestServer } from '../support/test-server.ts'
import { freePort } from './ports.ts'
import { isInstalled, proxies, startProxy } from './proxies.ts'

const CLIENTS = 12

describe.each(proxies)('two instances behind deploy/$name', (proxy) => {
  const isThere = isInstalled(proxy.command)
  let testServer: TestServer
  let folder: string
  let child: ChildProcess
  let instances: Listening[]
  let url: string

  const listen = (port: number) => startListening(testServer.app, '127.0.0.1', port, testServer)

  beforeEach(async () => {
    if (!isThere) return
    folder = mkdtempSync(join(tmpdir(), 'wechat-bind-proxy-'))
    testServer = await openTestServer()
    // Both share one store, as two instances on PostgreSQL do.
    instances = [await listen(0), await listen(0)]
    const [upstream = '', second = ''] = instances.map(({ url }) => new URL(url).host)
    const port = await freePort()
    child = await startProxy(proxy, { port, spare: await freePort(), upstream, second, folder })
    url = `http://127.0.0.1:${port}`
  })
  afterEach(async () => {
    if (!isThere) return
    child.kill('SIGTERM')
    await once(child, 'exit')
    await Promise.all(instances.map(({ server }) => stopListening(server)))
    await testServer.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The answer to a message that is not about binding. */
  function callback(): Promise<Response> {
    const { path, body } = testServer.message()
    return fetch(`${url}${path}`, { method: 'POST', body })
  }

  test.skipIf(!isThere)(titleWith(proxy.command, isThere, 'restart in turn, and no request is lost'), async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const client = testServer.clientOver(url)
    const poll = () => fetch(`${url}/widget/binding`, { headers: { Authorization: `Bearer ${token}` } })
    const counts = new Map<string, number>()
    let answered = 0
    let isDone = false
    const tries = proxy.name === 'nginx.conf' ? 1 : 30
    const load = async (name: string, wanted: string, send: () => Promise<string>) => {
      while (!isDone) {
        let answer = ''
        for (let i = 0; i < tries && answer !== wanted; i++) answer = await send().catch(({ message }) => message)
        const what = `${name} ${answer}`
        counts.set(what, (counts.get(what) ?? 0) + 1)
        answered++
      }
    }
    const progress = async () => {
      for (const until = answered + 10 * CLIENTS; answered < until; ) await new Promise(setImmediate)
    }
    const loads = Array.from({ length: CLIENTS }, (_, i) => {
      if (i % 3 === 0) return load('callback', 'success', async () => (await callback()).text())
      if (i % 3 === 1) return load('poll', '200', async () => String((await poll()).status))
      return load('call', 'false', async () =>
        String((await client.getBindInfo({ account: 'acme', userId: 'u1' })).IsBound),
      )
    })
    for (const index of [0, 1, 0, 1]) {
      await progress()
      const { server, url } = instances[index]!
      await stopListening(server)
      await progress()
      const restarted = await listen(Number(new URL(url).port))
      instances[index] = restarted
      // Resolves when the proxy uses the restarted instance again.
      await once(restarted.server, 'request')
    }
    await progress()
    isDone = true
    await Promise.all(loads)
    expect([...counts.keys()].sort()).toEqual(['call false', 'callback success', 'poll 200'])
  })
})
