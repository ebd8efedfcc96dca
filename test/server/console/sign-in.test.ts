/** Who may use the console: sessions, wrong tokens, forged requests and roles. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createConsole } from '../../../server/console/console.ts'
import { createSessions } from '../../../server/console/sessions.ts'
import type { BindError } from '../../../server/errors.ts'
import type { Role } from '../../../server/keys/operators.ts'
import { CONSOLE_TOKENS, type ConsoleClient, createConsoleClient, TOKENS } from '../../support/console-client.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
let client: ConsoleClient

const newClient = (base?: string) => createConsoleClient(createConsole(testServer.deps), base)

/** Replaces the operators, as a change of CONSOLE_TOKENS_FILE does. */
const setOperators = (operators: { name: string; secret: string; role: Role }[]) =>
  testServer.deps.console.operators.replace(operators)

beforeEach(async () => {
  testServer = await openTestServer({ CONSOLE_TOKENS })
  client = newClient()
})
afterEach(() => testServer.close())

const statusOf = async (response: Response | Promise<Response>) => (await response).status

const actions = [
  'users/unbind',
  'users/erase',
  'users/export',
  'users/reveal',
  'webhooks/replay',
  'webhooks/retry',
  'webhooks/enable',
  'webhooks/test',
  'doctor',
]
const reads = ['meta', 'overview', 'webhooks', 'doctor', 'live']

describe('the session of the console', () => {
  test('begins with a token and lasts twelve hours', async () => {
    expect(await client.json(client.get('api/session'))).toEqual({ signedIn: false })
    const response = await client.signIn('vera')
    expect(response.status).toBe(200)
    expect(response.headers.get('Set-Cookie')).toMatch(
      /^wechat-bind-console=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    expect(await client.json(client.get('api/session'))).toMatchObject({
      signedIn: true,
      name: 'vera',
      role: 'viewer',
      expiresAt: testServer.time.clock() + 43_200_000,
    })
    await testServer.time.advance(43_199_000)
    expect(await statusOf(client.get('api/meta'))).toBe(200)
    await testServer.time.advance(1_000)
    expect(await statusOf(client.get('api/meta'))).toBe(401)
  })

  test('has a cookie for the path of the mount, with the attribute Secure behind https', async () => {
    const secure = newClient('https://localhost/ops/console')
    expect((await secure.signIn('vera')).status).toBe(404)
    const response = await client.post('api/session', { token: TOKENS.vera }, { 'X-Forwarded-Proto': 'https' })
    expect(response.headers.get('Set-Cookie')).toMatch(/; Secure$/)
  })

  test('accepts the whole entry of CONSOLE_TOKENS, and takes the role from the settings', async () => {
    await client.signIn({ token: `vera:${TOKENS.vera}:operator` })
    expect(await client.json(client.get('api/session'))).toMatchObject({ name: 'vera', role: 'viewer' })
    expect(await statusOf(newClient().signIn({ token: `otto:${TOKENS.vera}` }))).toBe(401)
  })

  test('works at another instance and after a restart', async () => {
    await client.signIn('vera')
    const headers = { Cookie: client.cookie()! }
    const other = createConsole(testServer.deps)
    expect(await statusOf(other.request('http://127.0.0.1/api/meta', { headers }))).toBe(200)

    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    const env = { CONSOLE_TOKENS, DATABASE_URL: `sqlite:${join(folder, 'bind.db')}` }
    const before = await openTestServer(env)
    const signedIn = createConsoleClient(createConsole(before.deps))
    await signedIn.signIn('otto')
    before.deps.figures.shown('default')
    await before.close()
    const after = await openTestServer(env, { account: before.simulator.account })
    const app = createConsole(after.deps)
    const overview = await app.request('http://127.0.0.1/api/overview', { headers: { Cookie: signedIn.cookie()! } })
    expect(await overview.json()).toMatchObject({ funnel: { shown: 1 } })
    await after.close()
    rmSync(folder, { recursive: true })
  })

  test('ends by signing out, even for a stolen copy of the cookie', async () => {
    await client.signIn('otto')
    const stolen = { Cookie: client.cookie()!, 'X-Console-CSRF': client.csrf()! }
    expect(await statusOf(client.signOut())).toBe(204)
    const thief = newClient()
    expect(await statusOf(thief.request('api/meta', { headers: stolen }))).toBe(401)
    expect(await statusOf(thief.post('api/users/reveal', {}, stolen))).toBe(401)
  })

  test('ends when the token is removed from the settings, and does not continue when the token is restored', async () => {
    await client.signIn('otto')
    setOperators([])
    expect(await statusOf(client.get('api/meta'))).toBe(401)
    setOperators([{ name: 'otto', secret: TOKENS.otto, role: 'operator' }])
    expect(await statusOf(client.get('api/meta'))).toBe(401)
  })

  test('ends when the secret is changed, and uses the current role', async () => {
    await client.signIn('otto')
    setOperators([{ name: 'otto', secret: TOKENS.otto, role: 'viewer' }])
    expect(await statusOf(client.post('api/doctor'))).toBe(403)
    setOperators([{ name: 'otto', secret: 'another-secret-0123456', role: 'operator' }])
    expect(await statusOf(client.get('api/meta'))).toBe(401)
  })

  test('has a random cookie that contains no data, and a changed cookie is refused', async () => {
    await client.signIn('vera')
    const [, value = ''] = client.cookie()!.split('=')
    for (const forged of [
      `${value.slice(0, -1)}A`,
      'A'.repeat(43),
      '',
      `${value}; wechat-bind-console=x`,
      'operator',
    ]) {
      const isSame = forged.startsWith(value)
      const status = await statusOf(
        newClient().request('api/meta', { headers: { Cookie: `wechat-bind-console=${forged}` } }),
      )
      expect(status).toBe(isSame || forged === value ? 200 : 401)
    }
  })
})

describe('wrong tokens', () => {
  test('are refused without a hint, and after five within a minute every sign-in is refused', async () => {
    for (const token of ['', 'vera', TOKENS.vera.slice(1), `${TOKENS.vera}x`, TOKENS.vera.toUpperCase()]) {
      expect(await statusOf(client.signIn({ token }))).toBe(401)
    }
    const refused = await newClient().signIn('vera')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(50)
    await testServer.time.advance(60_000)
    expect(await statusOf(client.signIn('vera'))).toBe(200)
  })

  test('count towards the limit, and correct tokens do not count', async () => {
    for (let i = 0; i < 4; i++) await client.signIn({ token: 'wrong' })
    for (let i = 0; i < 10; i++) expect(await statusOf(client.signIn('vera'))).toBe(200)
    expect(await statusOf(client.signIn({ token: 'wrong' }))).toBe(401)
    expect(await statusOf(client.signIn('vera'))).toBe(429)
  })

  test('are refused after five, even if 10,000 arrive at the same time', async () => {
    const { signIn } = createSessions(testServer.deps)
    const guesses = Array.from({ length: 10_000 }, (_, i) =>
      signIn(`guess-${i}-0123456789`).catch((error: BindError) => error.code),
    )
    const codes = Object.groupBy(await Promise.all(guesses), String)
    expect([codes.UNAUTHORIZED?.length, codes.RATE_LIMITED?.length]).toEqual([5, 9_995])
    // A correct token is refused as well during this time.
    expect(await statusOf(client.signIn('otto'))).toBe(429)
  })

  test('are not counted when correct tokens arrive at the same time', async () => {
    const together = Array.from({ length: 10 }, () => statusOf(client.post('api/session', { token: TOKENS.vera })))
    expect(await Promise.all(together)).toEqual(Array(10).fill(200))
  })

  test('are in no log line', async () => {
    await client.signIn({ token: 'my-wrong-secret-0123456789' })
    await client.signIn('vera')
    const log = testServer.log.lines.join('\n')
    expect(log).toContain('a sign-in to the console was refused')
    expect(log).not.toMatch(/my-wrong-secret|vera-secret/)
    expect(log).not.toContain(client.cookie()!.split('=')[1])
  })
})

describe('forgery', () => {
  beforeEach(() => client.signIn('otto'))

  test('by a form of another origin is refused, whatever its encoding', async () => {
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain']) {
      const form = { method: 'POST', body: '{}', headers: { 'Content-Type': type } }
      const foreign = { ...form.headers, Origin: 'https://evil.example' }
      expect(await statusOf(client.request('api/webhooks/replay', form))).toBe(400)
      expect(await statusOf(client.request('api/webhooks/replay', { ...form, headers: foreign }))).toBe(403)
    }
  })

  test('with the cookie alone, or with the token of another session, is refused', async () => {
    const cookie = { Cookie: client.cookie()! }
    const other = newClient()
    await other.signIn('otto')
    const without = newClient()
    expect(await statusOf(without.post('api/webhooks/replay', {}, cookie))).toBe(403)
    expect(await statusOf(without.request('api/session', { method: 'DELETE', headers: cookie }))).toBe(403)
    const mixed = { ...cookie, 'X-Console-CSRF': other.csrf()! }
    expect(await statusOf(without.post('api/webhooks/replay', {}, mixed))).toBe(403)
    expect(await statusOf(client.post('api/webhooks/replay'))).toBe(200)
  })

  test.each<Record<string, string>>([
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://127.0.0.1:4003' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ])('of a request with %j is refused, even to sign in and to read', async (given) => {
    expect(await statusOf(client.post('api/webhooks/replay', {}, given))).toBe(403)
    expect(await statusOf(client.post('api/session', { token: TOKENS.otto }, given))).toBe(403)
    expect(await statusOf(client.request('api/meta', { headers: given }))).toBe(403)
  })

  test('is not assumed for the console’s own page', async () => {
    const own = { Origin: 'http://127.0.0.1:4002', 'Sec-Fetch-Site': 'same-origin', Host: '127.0.0.1:4002' }
    expect(await statusOf(client.post('api/webhooks/replay', {}, own))).toBe(200)
  })

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.0.0.1:4002',
    'localhost@evil.example',
    '',
  ])('under the host name "%s" is refused (DNS rebinding), even for the page', async (host) => {
    expect(await statusOf(client.request('api/meta', { headers: { Host: host } }))).toBe(403)
    expect(await statusOf(client.request('', { headers: { Host: host } }))).toBe(403)
  })

  test('is not assumed for the names of CONSOLE_HOST and CONSOLE_ALLOWED_HOSTS', async () => {
    const named = await openTestServer({
      CONSOLE_TOKENS,
      CONSOLE_PORT: '0',
      CONSOLE_HOST: '10.0.0.1',
      CONSOLE_ALLOWED_HOSTS: 'Console.Example.com, ops.example',
    })
    const app = createConsole(named.deps)
    const statuses = [
      '10.0.0.1:4002',
      'console.example.com',
      'CONSOLE.example.com:443',
      'ops.example',
      'localhost:1',
      '[::1]:4002',
    ].map((host) => app.request('http://x/api/session', { headers: { Host: host } }))
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual(Array(6).fill(200))
    await named.close()
  })
})

describe('roles', () => {
  test('let nobody do anything without a session', async () => {
    for (const path of reads) expect(await statusOf(client.get(`api/${path}`))).toBe(401)
    for (const path of [...actions, 'users/search', 'users/show'])
      expect(await statusOf(client.post(`api/${path}`))).toBe(401)
  })

  test('let a viewer read everything and do nothing', async () => {
    await client.signIn('vera')
    for (const path of reads) expect([path, await statusOf(client.get(`api/${path}`))]).toEqual([path, 200])
    for (const path of actions) expect([path, await statusOf(client.post(`api/${path}`))]).toEqual([path, 403])
  })

  test('cannot be raised by the content of a request', async () => {
    await client.signIn('vera')
    const body = { tenant: 'default', account: 'acme', userId: 'u1', role: 'operator', name: 'otto' }
    const tries = [
      client.post('api/users/reveal', body),
      client.post('api/users/reveal?role=operator', body),
      client.post('api/users/reveal', body, { 'X-Role': 'operator', Authorization: `Bearer ${TOKENS.vera}` }),
      client.post('api/users/reveal', body, { Cookie: `${client.cookie()}; role=operator` }),
      client.post('api/users/reveal/', body),
      client.post('api//users/reveal', body),
    ]
    for (const response of await Promise.all(tries)) expect([403, 404]).toContain(response.status)
  })
})

describe('every answer', () => {
  test('forbids framing, other sources, caching and type sniffing', async () => {
    await client.signIn('vera')
    for (const path of ['api/meta', 'api/none', 'api/session', 'none']) {
      const { headers } = await client.get(path)
      expect(headers.get('Content-Security-Policy')).toContain("default-src 'none'")
      expect(headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('X-Frame-Options')).toBe('DENY')
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
      expect(headers.get('Cross-Origin-Opener-Policy')).toBe('same-origin')
      expect(headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin')
      expect(headers.get('Cache-Control')).toBe('no-store')
      expect(headers.get('Access-Control-Allow-Origin')).toBeNull()
    }
  })

  test('of the public app to a path of the console is 404', async () => {
    await client.signIn('otto')
    for (const path of ['/console', '/console/', '/api/session', '/api/meta', '/console/api/session', '/index.html']) {
      const { status } = await testServer.app.request(`http://127.0.0.1${path}`, {
        headers: { Cookie: client.cookie()! },
      })
      expect([path, status]).toEqual([path, 404])
    }
  })
})
