/** The security headers of every answer, and the origins whose pages may read answers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let token: string
beforeAll(async () => {
  testServer = await openTestServer({ ALLOWED_ORIGINS: 'https://www.example.com, https://app.example.com' })
  token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
})
afterAll(() => testServer.close())

const authorized = () => ({ Authorization: `Bearer ${token}` })

describe('every answer', () => {
  test.each([
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['GET', '/metrics', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/nowhere', 404],
    ['GET', '/wechat/callback', 403],
    ['POST', '/wechat/callback', 403],
    ['POST', '/api/WeChat/GetQrCode', 401],
    ['GET', '/widget/binding', 200],
    ['POST', '/widget/qrcode', 200],
    ['POST', '/widget/confirm', 400],
    ['DELETE', '/widget/binding', 200],
    ['OPTIONS', '/widget/binding', 204],
  ])('to %s %s (%i) forbids caching, framing, type sniffing and referrers', async (method, path, status) => {
    const response = await testServer.app.request(path, { method, headers: authorized() })
    expect(response.status).toBe(status)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(response.headers.get('x-powered-by')).toBeNull()
  })
})

describe('ALLOWED_ORIGINS', () => {
  const askFrom = (origin: string, method = 'GET') =>
    testServer.app.request('/widget/binding', {
      method,
      headers: { ...authorized(), Origin: origin, 'Access-Control-Request-Method': 'GET' },
    })

  test.each(['https://www.example.com', 'https://app.example.com'])('allows pages of %s', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await askFrom(origin, method)
      expect(headers.get('Access-Control-Allow-Origin')).toBe(origin)
      expect(headers.get('Vary')).toMatch(/\bOrigin\b/)
      // The server reads no cookies.
      expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
    }
  })

  test.each([
    'https://evil.example',
    'http://www.example.com',
    'https://www.example.com:8443',
    'https://www.example.com.evil.example',
    'https://evil-www.example.com',
    'https://WWW.example.com',
    'null',
    '*',
  ])('refuses pages of %s', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      expect((await askFrom(origin, method)).headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
  })

  test('does not apply to the encrypted API, the callback and the probes, which no page may read', async () => {
    for (const path of ['/api/WeChat/GetQrCode', '/wechat/callback', '/healthz', '/metrics', '/openapi.json']) {
      const headers = { Origin: 'https://www.example.com' }
      const response = await testServer.app.request(path, { headers })
      expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
  })
})
