import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { createRequestGuard, type TrustedNames } from '../../../demo/simulator/request-guard.ts'

type Sent = { host?: string; origin?: string; method?: string; trusted?: TrustedNames }

function ask({ host, origin, method = 'POST', trusted }: Sent) {
  const headers = { ...(host === undefined ? {} : { Host: host }), ...(origin === undefined ? {} : { Origin: origin }) }
  const app = new Hono().use(createRequestGuard(trusted)).all('*', (c) => c.text('done'))
  return app.request('http://simulator.example:4000/', { method, headers })
}

const statusOf = async (sent: Sent) => (await ask(sent)).status

describe('createRequestGuard', () => {
  test.each(['localhost', 'localhost:4000', 'LOCALHOST:4000', '127.0.0.1:4000', '[::1]', '[::1]:4000'])(
    'accepts the Host %s',
    async (host) => {
      expect(await statusOf({ host })).toBe(200)
      expect(await statusOf({ host, method: 'GET' })).toBe(200)
    },
  )

  test.each([
    'evil.example',
    'evil.example:4000',
    'localhost.evil.example',
    'evil.example@localhost',
    'localhost, evil.example',
    'localhost:4000:1',
    '127.0.0.1.nip.example:4000',
    '192.168.1.5:4000',
    '',
  ])('refuses a request with the `Host` %j, even a GET request', async (host) => {
    expect(await statusOf({ host })).toBe(403)
    expect(await statusOf({ host, method: 'GET' })).toBe(403)
  })

  test('accepts configured hosts, with any port', async () => {
    const trusted = { hosts: ['wechat', 'Demo.example'] }
    expect(await statusOf({ host: 'wechat:4000', trusted })).toBe(200)
    expect(await statusOf({ host: 'demo.example', trusted })).toBe(200)
    expect(await statusOf({ host: 'other.example', trusted })).toBe(403)
  })

  test('accepts a request without `Host` and `Origin`, which is a call in this process', async () => {
    expect(await statusOf({})).toBe(200)
  })

  test('accepts a POST without `Origin`, which comes from a program', async () => {
    expect(await statusOf({ host: 'localhost:4000' })).toBe(200)
  })

  test.each([
    ['localhost:4000', 'http://localhost:4000'],
    ['localhost', 'https://localhost'],
    ['localhost:443', 'https://localhost'],
    ['[::1]:4000', 'http://[::1]:4000'],
    [undefined, 'http://simulator.example:4000'],
  ])('accepts a POST with the `Host` %s from a page of the same origin %s', async (host, origin) => {
    expect(await statusOf({ ...(host === undefined ? {} : { host }), origin })).toBe(200)
  })

  test.each([
    'http://evil.example',
    'http://localhost:3000',
    'http://127.0.0.1:4000',
    'http://localhost',
    'http://localhost:4000.evil.example',
    'ftp://localhost:4000',
    'null',
    '',
  ])(
    'refuses a POST from a page of the origin %j, and answers a GET of this page without CORS headers',
    async (origin) => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect(await statusOf({ host: 'localhost:4000', origin, method })).toBe(403)
      }
      const read = await ask({ host: 'localhost:4000', origin, method: 'GET' })
      expect([read.status, read.headers.get('Access-Control-Allow-Origin')]).toEqual([200, null])
    },
  )

  test('accepts a POST from a configured origin, because a proxy may change `Host`', async () => {
    const trusted = { origins: ['https://demo.example'] }
    expect(await statusOf({ host: '127.0.0.1:4000', origin: 'https://demo.example', trusted })).toBe(200)
    expect(await statusOf({ host: '127.0.0.1:4000', origin: 'http://demo.example', trusted })).toBe(403)
  })

  test('names the refused value and the setting, but not the trusted names', async () => {
    const { error } = await (await ask({ host: 'evil.example', trusted: { hosts: ['inner.example'] } })).json()
    expect(error).toMatch(/^Host evil\.example is refused\. .*DEMO_HOSTS/)
    expect(error).not.toContain('inner.example')
    const refused = await (await ask({ host: 'localhost', origin: 'http://evil.example' })).json()
    expect(refused.error).toMatch(
      /^This server refuses a POST request from a page of http:\/\/evil\.example\. .*PUBLIC_URL/,
    )
  })
})
