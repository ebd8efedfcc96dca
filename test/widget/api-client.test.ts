import { describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../widget/api-client.ts'
import type { Credentials } from '../../widget/token-source.ts'

const qrcode = {
  state: 'unbound',
  url: 'u',
  qr: { size: 25, path: 'M0 0h1v1h-1z' },
  code: 'ABCD2345',
  expiresIn: 120,
  version: 17,
}
const bound = { state: 'bound', boundAt: 1_700_000_000, version: 18 }

type Answer = Response | Error | 'never'

/** Creates a client of `https://bind.test`. Its fetch returns `answers` in order and records the requests. */
function createTestClient(
  answers: Answer[],
  page: Partial<Credentials> = {},
  server = 'https://bind.test',
  random?: () => number,
) {
  const requests: Request[] = []
  const fetch = (async (url: string, init: RequestInit) => {
    requests.push(new Request(url, init))
    const answer = answers.shift() ?? 'never'
    if (answer instanceof Error) throw answer
    if (answer !== 'never') return answer
    return new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  }) as typeof globalThis.fetch
  const credentials: Credentials = { token: 't1', tokenUrl: '', getToken: undefined, ...page }
  const options = { ...credentials, server, language: 'zh-CN' }
  return { client: createClient(options, fetch, random), requests, options }
}

const json = (body: unknown, init?: ResponseInit) => Response.json(body, init)
const refusal = (status: number, code: string, more = {}, headers = {}) =>
  json({ type: 'about:blank', title: code, status, code, detail: 'd', ...more }, { status, headers })
const expiredToken = () => refusal(401, 'TOKEN_EXPIRED')
const never = new AbortController().signal
const bearers = (requests: Request[]) => requests.map(({ headers }) => headers.get('Authorization'))

const calls: [string, (client: Client) => Promise<unknown>, string, string, string][] = [
  ['createQrcode', (client) => client.createQrcode(true, never), 'POST', 'qrcode', '{"refresh":true}'],
  ['confirm', (client) => client.confirm('4821', never), 'POST', 'confirm', '{"code":"4821"}'],
  ['unbind', (client) => client.unbind(never), 'DELETE', 'binding', ''],
  [
    'authorize',
    (client) => client.authorize('https://page.test/#/a', never),
    'POST',
    'oauth',
    '{"return":"https://page.test/#/a"}',
  ],
  ['prove', (client) => client.prove('p', never), 'POST', 'oauth/confirm', '{"proof":"p"}'],
  ['waitPast', (client) => client.waitPast(17, never), 'GET', 'binding', ''],
]

describe('createClient', () => {
  test('after a lost poll, asks for a random part of the longest time that the server has named', async () => {
    const named = (seconds: string) => json(bound, { headers: { 'Bind-Reconnect': seconds } })
    const lost = new TypeError('lost')
    const badGateway = new Response('<html>', { status: 502 })
    const answers = [lost, named('12'), lost, named('2'), named('12, 12'), badGateway, refusal(503, 'OVERLOADED')]
    const { client } = createTestClient(answers, {}, location.origin, () => 0.25)
    const retries: unknown[] = []
    for (const _ of answers.slice()) {
      await client.waitPast(17, never).catch(({ code, retryAfterMs }) => retries.push([code, retryAfterMs]))
    }
    expect(retries).toEqual([
      ['NETWORK', 0],
      ['NETWORK', 3000],
      ['BAD_RESPONSE', 3000],
      ['OVERLOADED', undefined],
    ])
  })

  test.each(calls)('%s sends the request that the API requires', async (name, call, method, path, body) => {
    const answers: Record<string, object> = {
      createQrcode: qrcode,
      authorize: { url: 'https://open.test/#wechat_redirect' },
    }
    const { client, requests } = createTestClient([json(answers[name] ?? bound)])
    await call(client)
    const [request] = requests
    expect(request?.method).toBe(method)
    expect(request?.url).toBe(`https://bind.test/widget/${path}`)
    expect(await request?.text()).toBe(body)
    expect(request?.credentials).toBe('omit')
    expect(request?.redirect).toBe('error')
    expect(request?.headers.get('Authorization')).toBe('Bearer t1')
    expect(request?.headers.get('Accept-Language')).toBe('zh-CN')
  })

  test('waitPast sends the known version as If-None-Match, and Prefer: wait=25', async () => {
    const { client, requests } = createTestClient([json(bound)])
    expect(await client.waitPast(17, never)).toEqual(bound)
    expect(requests[0]?.headers.get('If-None-Match')).toBe('"17"')
    expect(requests[0]?.headers.get('Prefer')).toBe('wait=25')
  })

  test("authorize returns the URL of WeChat's authorization", async () => {
    const url = 'https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx#wechat_redirect'
    const { client } = createTestClient([json({ url })])
    expect(await client.authorize(location.href, never)).toBe(url)
  })

  test.each([{ url: 'javascript:alert(1)' }, { url: '/relative' }, {}])(
    "authorize rejects %o as the answer with the URL of WeChat's authorization",
    async (answer) => {
      const { client } = createTestClient([json(answer)])
      await expect(client.authorize(location.href, never)).rejects.toMatchObject({
        code: 'BAD_RESPONSE',
        retryable: false,
      })
    },
  )

  test('waitPast returns null for 304 Not Modified', async () => {
    const { client } = createTestClient([new Response(null, { status: 304 })])
    expect(await client.waitPast(17, never)).toBeNull()
  })

  test.each([
    ['', `${location.origin}/widget/binding`],
    ['https://bind.test/', 'https://bind.test/widget/binding'],
    ['https://bind.test/wechat', 'https://bind.test/wechat/widget/binding'],
    ['/wechat', `${location.origin}/wechat/widget/binding`],
  ])('accepts the server "%s"', async (server, url) => {
    const { client, requests } = createTestClient([json(bound)], {}, server)
    await client.unbind(never)
    expect(requests[0]?.url).toBe(url)
  })

  test('sends no request to the URL of a `<base>` in the document', async () => {
    const base = Object.assign(document.createElement('base'), { href: 'https://evil.test/' })
    document.head.prepend(base)
    try {
      const page = { token: '', tokenUrl: 'my/token' }
      const { client, requests } = createTestClient([json({ token: 't2' }), json(bound)], page, '')
      await client.unbind(never)
      expect(document.baseURI).toBe('https://evil.test/')
      expect(requests.map(({ url }) => url)).toEqual([
        new URL('my/token', location.href).href,
        `${location.origin}/widget/binding`,
      ])
    } finally {
      base.remove()
    }
  })

  test('rejects a server that is not a URL', async () => {
    const { client } = createTestClient([], {}, 'https://[')
    await expect(client.unbind(never)).rejects.toMatchObject({ code: 'BAD_REQUEST', retryable: false })
  })

  test.each([
    [refusal(422, 'WRONG_CODE', { triesLeft: 2 }), { code: 'WRONG_CODE', retryable: false, triesLeft: 2 }],
    [
      refusal(429, 'RATE_LIMITED', {}, { 'Retry-After': '7' }),
      { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 7000 },
    ],
    [refusal(503, 'STORE_UNAVAILABLE'), { code: 'STORE_UNAVAILABLE', retryable: true, retryAfterMs: undefined }],
    [refusal(502, 'WECHAT_FORBIDDEN'), { code: 'WECHAT_FORBIDDEN', retryable: false }],
    [refusal(403, 'FORBIDDEN'), { code: 'FORBIDDEN', retryable: false, message: 'd' }],
    [new Response('<h1>Bad Gateway</h1>', { status: 502 }), { code: 'BAD_RESPONSE', retryable: true }],
    [new Response('<h1>Not Found</h1>', { status: 404 }), { code: 'BAD_RESPONSE', retryable: false }],
    [new Response('<h1>Welcome</h1>'), { code: 'BAD_RESPONSE', retryable: false }],
    [json({ hello: 'world' }), { code: 'BAD_RESPONSE', retryable: false }],
    [json(null), { code: 'BAD_RESPONSE' }],
    [json({ state: 'bound', version: 18 }), { code: 'BAD_RESPONSE', retryable: false }],
  ])('throws a BindError: %#', async (answer, error) => {
    const { client } = createTestClient([answer])
    await expect(client.createQrcode(false, never)).rejects.toMatchObject(error)
  })

  test('sends a request without the token to find out whether CORS hides the answer or the connection is lost', async () => {
    const lost = new TypeError('Failed to fetch')
    const { client, requests } = createTestClient([lost, new Response()])
    const error = await client.createQrcode(false, never).catch((cause) => cause)
    expect(error).toMatchObject({ code: 'BLOCKED', retryable: false })
    expect(error.message).toBe(
      `https://bind.test hides its answers from ${location.origin}: add this origin to ALLOWED_ORIGINS`,
    )
    expect(requests[1]).toMatchObject({ mode: 'no-cors', method: 'GET', credentials: 'omit' })
    expect(requests[1]?.headers.get('Authorization')).toBeNull()

    const offline = createTestClient([lost, lost])
    await expect(offline.client.createQrcode(false, never)).rejects.toMatchObject({ code: 'NETWORK', retryable: true })
  })

  test.each([
    ['the origin of the page', '', [new TypeError('Failed to fetch')]],
    ['a server that has answered before', 'https://bind.test', [json(bound), new TypeError('Failed to fetch')]],
  ])('reports NETWORK without a second request when the connection fails to %s', async (_what, server, answers) => {
    const { client, requests } = createTestClient([...answers], {}, server)
    if (answers.length > 1) await client.unbind(never)
    await expect(client.unbind(never)).rejects.toMatchObject({ code: 'NETWORK', retryable: true })
    expect(requests).toHaveLength(answers.length)
  })

  test('rejects a QR code that has no SVG path', async () => {
    const { client } = createTestClient([json({ ...qrcode, qr: undefined })])
    await expect(client.createQrcode(false, never)).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
  })

  test('parses a Retry-After date', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString()
    const { client } = createTestClient([refusal(503, 'OVERLOADED', {}, { 'Retry-After': date })])
    const error = await client.unbind(never).catch((cause) => cause)
    expect(error.retryAfterMs).toBeGreaterThan(50_000)
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000)
  })

  test("rejects with the signal's reason when the caller aborts", async () => {
    const { client } = createTestClient(['never'])
    const controller = new AbortController()
    const answer = client.waitPast(17, controller.signal)
    controller.abort('enough')
    await expect(answer).rejects.toBe('enough')
  })
})

describe('createTokenSource', () => {
  test('gets a new token from the page after the server has refused the token', async () => {
    const tokens = ['t2', 't3']
    const getToken = async () => tokens.shift() ?? ''
    const { client, requests } = createTestClient([expiredToken(), json(bound)], { token: '', getToken })
    expect(await client.unbind(never)).toEqual(bound)
    expect(bearers(requests)).toEqual(['Bearer t2', 'Bearer t3'])
  })

  test('sends no third request after the server has refused two tokens', async () => {
    const { client, requests } = createTestClient([expiredToken(), expiredToken()], { getToken: () => 't2' })
    await expect(client.unbind(never)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    expect(bearers(requests)).toEqual(['Bearer t1', 'Bearer t2'])
  })

  test('uses a valid token for several requests', async () => {
    let asked = 0
    const { client } = createTestClient([json(bound), json(bound)], { token: '', getToken: () => `t${++asked}` })
    await client.unbind(never)
    await client.unbind(never)
    expect(asked).toBe(1)
  })

  test("fetches a token from token-url with the page's cookies", async () => {
    const { client, requests } = createTestClient([json({ token: 't2' }), json(bound)], {
      token: '',
      tokenUrl: '/my/token',
    })
    await client.unbind(never)
    expect(requests[0]?.url).toBe(`${location.origin}/my/token`)
    expect(requests[0]?.credentials).toBe('include')
    expect(requests[0]?.redirect).toBe('manual')
    expect(requests[1]?.headers.get('Authorization')).toBe('Bearer t2')
  })

  test("fetches a token from token-url after the page's token has expired, and keeps the fetched token", async () => {
    const { client, requests } = createTestClient([expiredToken(), json({ token: 't2' }), json(bound), json(bound)], {
      tokenUrl: '/my/token',
    })
    await client.unbind(never)
    await client.unbind(never)
    expect(bearers(requests)).toEqual(['Bearer t1', null, 'Bearer t2', 'Bearer t2'])
  })

  test('does not retry after a refusal when the page has set only a token', async () => {
    const { client, requests } = createTestClient([expiredToken()])
    await expect(client.unbind(never)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
    expect(requests).toHaveLength(1)
  })

  test('uses a token that the page set during another request', async () => {
    const page = createTestClient(['never', json(bound)])
    const answer = page.client.waitPast(17, never)
    Object.assign(page.options, { token: 't2' })
    expect(await page.client.unbind(never)).toEqual(bound)
    expect(bearers(page.requests)).toEqual(['Bearer t1', 'Bearer t2'])
    expect(await Promise.race([answer, 'still waiting'])).toBe('still waiting')
  })

  test.each([
    ['the page has set no source of tokens', {}, false],
    ['getToken rejects', { getToken: () => Promise.reject(new Error('signed out')) }, false],
    ['getToken returns an empty text', { getToken: () => '' }, false],
    ['token-url is not a URL', { tokenUrl: 'https://[' }, false],
    ['token-url cannot be reached', { tokenUrl: '/my/token' }, true],
  ])('rejects with NO_TOKEN when %s', async (_when, page, retryable) => {
    const { client } = createTestClient([new TypeError('Failed to fetch')], { token: '', ...page })
    await expect(client.unbind(never)).rejects.toMatchObject({ code: 'NO_TOKEN', retryable })
  })

  test('names the server of token-url, and not the setting ALLOWED_ORIGINS, when CORS hides the answer', async () => {
    const tokenUrl = 'https://auth.test/token?session=secret'
    const { client } = createTestClient([new TypeError('Failed to fetch'), new Response()], { token: '', tokenUrl })
    const error = await client.unbind(never).catch((cause) => cause)
    expect(error).toMatchObject({ code: 'NO_TOKEN', retryable: false })
    expect(error.message).toBe(
      `token-url https://auth.test/token: https://auth.test hides its answers from ${location.origin}: allow this origin there, with credentials`,
    )
  })

  const page = (status: number) => new Response('<h1>Page</h1>', { status, headers: { 'Content-Type': 'text/html' } })

  test.each([
    [page(404), 'Expected JSON, got HTTP 404 text/html', false],
    [page(502), 'Expected JSON, got HTTP 502 text/html', true],
    [page(200), 'Expected JSON, got HTTP 200 text/html', false],
    [json({ hello: 'world' }), 'Expected {"token":"..."}, got HTTP 200', false],
    [
      Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' }),
      'Expected JSON, got a redirect',
      false,
    ],
  ])(
    'names the URL and the status when the answer of token-url contains no token: %#',
    async (answer, why, retryable) => {
      const { client } = createTestClient([answer], { token: '', tokenUrl: '/my/token?session=secret' })
      const error = await client.unbind(never).catch((cause) => cause)
      expect(error).toMatchObject({ code: 'NO_TOKEN', retryable, status: answer.status })
      expect(error.message).toBe(`token-url /my/token: ${why}`)
    },
  )
})
