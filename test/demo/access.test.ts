/** A page of another site must not be able to use the demo, even if its browser runs on the same machine or network. */
import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { start } from './demo-fixture.ts'

type Headers = Record<string, string>

/**
 * Returns the status of the response and closes the connection, even if the response is a stream. Uses `node:http`,
 * because `fetch` cannot send any `Host`.
 */
function send({ url }: Demo, path: string, headers: Headers, method = 'GET', body = ''): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, headers, agent: false }, (response) => {
      response.destroy()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end(body)
  })
}

const reads = [
  '/',
  '/demo/conditions',
  '/visitor/one-of-two/demo/conditions',
  '/demo/wire',
  '/demo/stream',
  '/host/token?user=lin',
  '/host/bind-info?user=lin',
  '/simulator/control/state',
  '/simulator/control/stream',
  '/simulator/control/wire',
]

const changes: [method: string, path: string, body: string][] = [
  ['PUT', '/demo/conditions', '{}'],
  ['PUT', '/visitor/one-of-two/demo/conditions', '{}'],
  ['POST', '/demo/taken/cy', ''],
  ['POST', '/host/disconnect?user=lin', ''],
  ['POST', '/simulator/control/phones/amy/unfollow', ''],
  ['POST', '/simulator/control/faults/down', '{"down":true}'],
]

describe('startDemo', () => {
  test('refuses a request with a foreign `Host`, as a browser sends it after DNS rebinding', async () => {
    const demo = await start()
    const headers = { Host: `evil.example:${new URL(demo.url).port}` }
    for (const path of reads) expect([path, await send(demo, path, headers)]).toEqual([path, 403])
    for (const [method, path, body] of changes) {
      const origin = `http://${headers.Host}`
      expect([path, await send(demo, path, { ...headers, Origin: origin }, method, body)]).toEqual([path, 403])
    }
  })

  test('refuses every changing request from a page of another origin', async () => {
    const demo = await start()
    await demo.simulator.phone('amy').follow()
    const { port } = new URL(demo.url)
    for (const Origin of ['https://evil.example', 'http://127.0.0.1:1', `http://localhost:${port}`, 'null']) {
      for (const [method, path, body] of changes) {
        expect([Origin, path, await send(demo, path, { Origin }, method, body)]).toEqual([Origin, path, 403])
      }
    }
    expect(demo.simulator.phone('amy').following).not.toBeNull()
  })

  test('accepts requests from its own page, from a program without `Origin`, and for the host names in its settings', async () => {
    const demo = await start(undefined, { PUBLIC_URL: 'https://demo.example', DEMO_HOSTS: 'wechat' })
    const { port, origin } = new URL(demo.url)
    const accepted: Headers[] = [
      {},
      { Origin: origin },
      { Host: `localhost:${port}`, Origin: `http://localhost:${port}` },
      { Host: 'demo.example', Origin: 'https://demo.example' },
      { Origin: 'https://demo.example' },
      { Host: 'wechat:4000' },
    ]
    for (const headers of accepted) {
      for (const path of reads) expect([headers, path, await send(demo, path, headers)]).toEqual([headers, path, 200])
      for (const [method, path, body] of changes) {
        expect([path, (await send(demo, path, headers, method, body)) ?? 0]).toEqual([
          path,
          expect.toBeOneOf([200, 204]),
        ])
      }
      await demo.simulator.faults.clear()
    }
  })

  test('does not check `Host` of requests that a token, a key or a signature protects', async () => {
    const demo = await start()
    const headers = { Host: 'bind.example' }
    const statuses = ['/widget/binding', '/wechat/callback', '/simulator/cgi-bin/getcallbackip', '/cdn/wechat-bind.js']
    expect(await Promise.all(statuses.map((path) => send(demo, path, headers)))).toEqual([401, 403, 200, 200])
  })
})
