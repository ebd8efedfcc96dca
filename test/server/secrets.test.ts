/** Drives a bind server through bindings, faults and attacks, then searches its output and its database for secrets and ids. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatMessage } from '../../demo/simulator/chat.ts'
import { sealMessage } from '../../demo/simulator/message.ts'
import { createSimulator } from '../../demo/simulator/simulator.ts'
import { createBindClient } from '../../server/client.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { type Instance, startInstance, untilWaiting } from '../support/instance.ts'
import { SECRET } from '../support/test-server.ts'

const CHAT = '我的私房话 and nobody else reads it'
const WEBHOOK_SECRET = `whsec_${randomBytes(32).toString('base64')}`

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-secrets-'))
const simulator = createSimulator({ people: ['amy', 'bo', 'cy'] })
const { account, phone } = simulator

const PAGE = 'https://www.example.com/account'

/** The captured text, by its source. */
const captured = { log: '', errors: '', metrics: '', urls: '', title: '', store: '' }
/** `secrets` must appear nowhere. `ids` may appear only at WeChat, in the store and at the tenant. */
const secrets = new Map<string, string>([
  ['app secret', account.appSecret],
  ['token', account.token],
  ['aes key', account.encodingAesKey],
  ['bind key', SECRET],
  ['webhook secret', WEBHOOK_SECRET],
  ['chat text', CHAT],
])
const ids = new Map<string, string>()
for (const person of ['amy', 'bo', 'cy']) {
  ids.set(`openid of ${person}`, phone(person).openid)
  const { unionid } = phone(person)
  if (unionid) ids.set(`unionid of ${person}`, unionid)
}

let wechat: Awaited<ReturnType<typeof startListening>>
let tenant: Awaited<ReturnType<typeof startListening>>
let instance: Instance

/** Sends a request as the page or the client does. Its URL is captured. */
async function fetchOurs(url: URL | string, init: RequestInit = {}): Promise<Response> {
  captured.urls += `${new URL(url, instance.url).href}\n`
  return fetchAny(url, init)
}

/** Sends a request as any sender may. Error answers are captured, but the URL is not. */
async function fetchAny(url: URL | string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(new URL(url, instance.url), init)
  if (response.status >= 400) {
    const headers = JSON.stringify([...response.headers])
    captured.errors += `${response.status} ${headers} ${await response.clone().text()}\n`
  }
  return response
}

async function widget(method: string, path: string, body?: object, headers = {}, user = 'u1'): Promise<Response> {
  const token = await client().mintToken({ account: 'acme', userId: user })
  secrets.set(`widget token ${secrets.size}`, token)
  return fetchOurs(`/widget${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

const client = (key = SECRET, clock = Date.now) =>
  createBindClient({ server: instance.url, keyId: 'k1', key, clock, fetch: fetchOurs as typeof fetch })

const digitsIn = (chat: readonly ChatMessage[]) => /\b\d{4}\b/.exec(chat.at(-1)?.content ?? '')?.[0] ?? ''

/** Scans, follows, and confirms on the page: first with a wrong code, then with the digits of the chat. */
async function bind(person: string, user: string): Promise<void> {
  const { Url } = await client().getQrCode({ account: 'acme', userId: user, label: 'ab***@example.com' })
  await phone(person).scan(Url)
  await phone(person).follow()
  await widget('POST', '/confirm', { code: 'zzzz' }, {}, user)
  await widget('POST', '/confirm', { code: digitsIn(phone(person).chat) }, {}, user)
}

/** Opens the authorization that a user has started on a phone, and confirms it as `confirmer`. */
async function authorize(person: string, user: string, confirmer: string): Promise<void> {
  const { url } = await (await widget('POST', '/oauth', { return: PAGE }, {}, user)).json()
  const result = simulator.authorize(person, url)
  const location = new URL('location' in result ? result.location : '')
  secrets.set(`code ${secrets.size}`, location.searchParams.get('code') ?? '')
  secrets.set(`state ${secrets.size}`, location.searchParams.get('state') ?? '')
  const returned = await fetchAny(location, { redirect: 'manual' })
  const proof = /#wechat-bind=([\w-]{43})$/.exec(returned.headers.get('Location') ?? '')?.[1]
  if (proof === undefined) return
  secrets.set(`proof ${secrets.size}`, proof)
  await widget('POST', '/oauth/confirm', { proof }, {}, confirmer)
}

const deliver = (fields: Record<string, string | number>, more: { query?: object; body?: string } = {}) => {
  const whole = { ToUserName: account.originalId, FromUserName: phone('amy').openid, MsgType: 'text', ...fields }
  const { query, body } = sealMessage(account, whole as never, Date.now(), randomBytes)
  for (const value of Object.values(query)) if (value.length > 12) secrets.set(`query ${secrets.size}`, value)
  const search = new URLSearchParams({ ...query, ...more.query })
  return fetchAny(`/wechat/callback?${search}`, { method: 'POST', body: more.body ?? body })
}

beforeAll(async () => {
  wechat = await startListening(
    {
      async fetch(request) {
        const response = await simulator.app.fetch(request)
        const answer =
          (await response
            .clone()
            .text()
            .catch(() => '')) ?? ''
        const accessToken = /"access_token":"([^"]+)"/.exec(answer)?.[1]
        if (accessToken) secrets.set(`access token ${secrets.size}`, accessToken)
        return response
      },
    },
    '127.0.0.1',
    0,
  )
  // The tenant's webhook receiver and the system behind FORWARD_URL: both always fail.
  tenant = await startListening(
    new Hono().all('*', (c) => c.text('broken', 500)),
    '127.0.0.1',
    0,
  )
  instance = await startInstance(account, {
    WECHAT_API_BASE: wechat.url,
    DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
    WEBHOOK_URL: `${tenant.url}/hook`,
    WEBHOOK_SECRET,
    FORWARD_URL: `${tenant.url}/old`,
    CONFIRM: 'code',
    WECHAT_OAUTH: 'on',
    ALLOWED_ORIGINS: new URL(PAGE).origin,
    LOG_LEVEL: 'trace',
    // Each fault of WeChat then reaches a page.
    QR_READY: '0',
  })
  simulator.setCallbackUrl(`${instance.url}/wechat/callback`)
  await runScenario()
})

afterAll(async () => {
  await instance?.end('SIGKILL')
  await stopListening(wechat.server)
  await stopListening(tenant.server)
  simulator.close()
  rmSync(folder, { recursive: true })
})

/** The command line of a process, as every user of the machine can read it. Linux may lack ps; other systems have no /proc. */
function titleOf(pid = 0): string {
  if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
}

async function runScenario(): Promise<void> {
  // A binding, a waiting page, and a conflict with another account.
  await widget('POST', '/qrcode', {})
  const waiting = widget('GET', '/binding', undefined, { 'If-None-Match': '"0"', Prefer: 'wait=25' })
  await untilWaiting(instance, 1)
  await bind('amy', 'u1')
  expect((await (await waiting).json()).state).toBe('scanned')
  await bind('amy', 'u2')
  await bind('bo', 'u3')
  expect(await client().getBindInfo({ account: 'acme', userId: 'u1' })).toMatchObject({ IsBound: true })
  expect(await client().getBindInfo({ account: 'acme', userId: 'u3' })).toMatchObject({ IsBound: true })

  // The chat: a private message, wrong codes, then the right code.
  // The failing system at FORWARD_URL delays each answer by seconds, so these messages are sent together.
  const wrongCodes = Array.from({ length: 6 }, (_, i) => phone('bo').sendText(`绑定 ABCD234${i}`))
  await Promise.all([phone('amy').sendText(CHAT), ...wrongCodes])
  const { code } = await (await widget('POST', '/qrcode', {}, {}, 'u4')).json()
  await phone('cy').follow()
  await phone('cy').sendText(`绑定 ${code}`)
  await widget('POST', '/confirm', { code: digitsIn(phone('cy').chat) }, {}, 'u4')

  // Three web authorizations: the first binds, the second belongs to another user, and WeChat refuses the third.
  await authorize('cy', 'u8', 'u8')
  await authorize('cy', 'u9', 'u8')
  simulator.faults.fail('/sns/oauth2/access_token', 40125)
  await authorize('cy', 'u9', 'u9')

  // Forged, changed, stale, plain, oversized and broken callbacks.
  await deliver({ Content: CHAT }, { query: { msg_signature: 'f'.repeat(40) } })
  await deliver({ Content: CHAT }, { query: { timestamp: '1' } })
  await deliver({ Content: CHAT }, { body: `<xml><Content>${CHAT}</Content></xml>` })
  await deliver({ Content: CHAT }, { body: CHAT.repeat(4_000) })
  await deliver({ Content: CHAT }, { query: { nonce: phone('amy').openid } })
  await fetchAny(`/wechat/callback?echostr=${phone('amy').openid}&signature=x&timestamp=1&nonce=2`)

  // The encrypted API: wrong key, stale date, nothing to disconnect, unknown call. The browser API: expired and invalid tokens.
  const wrong = randomBytes(32).toString('base64url')
  await expect(client(wrong).getBindInfo({ account: 'acme', userId: 'u1' })).rejects.toMatchObject({ status: 401 })
  const late = client(SECRET, () => Date.now() - 3_600_000)
  await expect(late.getBindInfo({ account: 'acme', userId: 'u1' })).rejects.toMatchObject({ code: 'STALE_DATE' })
  await expect(client().disconnect({ account: 'acme', userId: 'nobody' })).rejects.toMatchObject({ code: 'NOT_BOUND' })
  await fetchAny(`/api/WeChat/${phone('amy').openid}`, { method: 'POST', body: CHAT })
  const token = await late.mintToken({ account: 'acme', userId: 'u1' })
  for (const bad of [token, `${token.slice(0, -3)}xyz`, SECRET, phone('amy').openid]) {
    secrets.set(`widget token ${secrets.size}`, bad)
    await fetchOurs('/widget/binding', { headers: { Authorization: `Bearer ${bad}` } })
  }
  await widget('POST', '/confirm', { code: CHAT })

  // WeChat refuses calls, revokes the access token, and is down.
  for (const errcode of [45009, 48001, 40013]) {
    simulator.faults.fail('/cgi-bin/qrcode/create', errcode, 3)
    await widget('POST', '/qrcode', { refresh: true }, {}, 'u5')
  }
  simulator.faults.clear()
  simulator.accessTokens.revoke()
  await widget('POST', '/qrcode', { refresh: true }, {}, 'u6')
  simulator.faults.setDown(true)
  await widget('POST', '/qrcode', { refresh: true }, {}, 'u7')
  simulator.faults.clear()

  // Disconnect and unfollow: both erase the ids of the user.
  await client().disconnect({ account: 'acme', userId: 'u1' })
  await phone('bo').unfollow()

  for (const path of ['/metrics', '/openapi.json', '/readyz']) captured.metrics += await (await fetchOurs(path)).text()
  captured.title = titleOf(instance.child.pid)
  expect(await instance.end('SIGTERM')).toBe(0)
  captured.log = instance.log.join('\n')
  for (const file of readdirSync(folder)) captured.store += readFileSync(join(folder, file), 'latin1')
}

/** The names of the words that occur in the text, plain or encoded for a URL, JSON or base64. */
function foundIn(text: string, words: Map<string, string>): string[] {
  const forms = (word: string) => [
    word,
    encodeURIComponent(word),
    JSON.stringify(word).slice(1, -1),
    Buffer.from(word).toString('base64'),
    Buffer.from(word).toString('base64url'),
    Buffer.from(word).toString('latin1'),
  ]
  return [...words].filter(([, word]) => forms(word).some((form) => text.includes(form))).map(([name]) => name)
}

describe('after the scenario', () => {
  test('every source contains text, and the search finds an id that must be stored', () => {
    expect(captured.log.split('\n').length).toBeGreaterThan(50)
    expect(captured.errors.match(/^\d{3}/gm)?.length).toBeGreaterThan(20)
    expect(captured.metrics).toContain('wechat_bind_')
    expect(captured.urls).toContain('/widget/confirm')
    expect(captured.title).toContain('serve')
    expect([...secrets.keys()].filter((name) => name.startsWith('access token')).length).toBeGreaterThan(0)
    expect([...secrets.keys()].filter((name) => name.startsWith('query')).length).toBeGreaterThan(5)
    // The openid of a bound user must be in the store.
    expect(foundIn(captured.store, ids)).toContain('openid of cy')
  })

  test.each(['log', 'errors', 'metrics', 'urls', 'title'] as const)(
    'no secret and no WeChat id is in the %s',
    (where) => {
      expect(foundIn(captured[where], new Map([...secrets, ...ids]))).toEqual([])
    },
  )

  test('the store holds no secret, and no id of a user who was disconnected or has unfollowed', () => {
    expect(foundIn(captured.store, secrets)).toEqual([])
    expect(foundIn(captured.store, ids).filter((name) => !name.endsWith('cy'))).toEqual([])
  })
})
