import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type BindClientOptions, createBindClient } from '../../server/client.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { openEnvelope, sealEnvelope } from '../../server/keys/envelope.ts'
import { openToken } from '../../server/keys/widget-token.ts'
import { createFakeTime } from '../support/fake-time.ts'

const KEY = new Uint8Array(32).fill(7)
const secret = Buffer.from(KEY).toString('base64url')
const subject = { account: 'acme', userId: 'u1' }

type Sent = { url: string; jti: string; plaintext: Record<string, unknown>; init: RequestInit }
type Answer = (sent: Sent, nth: number) => Response | Promise<Response>

/** A client of a fake bind server that opens and records each request, and replies with `answer`. */
function open(answer: Answer, own: Partial<BindClientOptions> = {}) {
  const sent: Sent[] = []
  const time = createFakeTime()
  const fetch = async (input: URL, init: RequestInit) => {
    const { text, header } = await openEnvelope(String(init.body), undefined, (kid) =>
      kid === 'k1' ? { secret: KEY } : undefined,
    )
    const request = { url: input.href, jti: header.jti ?? '', plaintext: JSON.parse(text), init }
    sent.push(request)
    return answer(request, sent.length)
  }
  const client = createBindClient({
    server: 'https://bind.example',
    keyId: 'k1',
    key: secret,
    clock: time.clock,
    fetch: fetch as typeof globalThis.fetch,
    ...own,
  })
  return { client, sent, time }
}

async function reply(result: object, req: string, init?: ResponseInit): Promise<Response> {
  return new Response(await sealEnvelope(result, { kid: 'k1', jti: crypto.randomUUID(), req }, KEY), init)
}

const succeed: Answer = ({ jti }) => reply({ Success: true, Code: 'OK', Message: '', Data: { Version: 3 } }, jti)
const refuse = (Code: string, init: ResponseInit): Answer => {
  return ({ jti }) => reply({ Success: false, Code, Message: 'what to do', Data: null }, jti, init)
}
const html: Answer = () => new Response('<h1>502 Bad Gateway</h1>', { status: 502 })
const noConnection: Answer = () => {
  throw new TypeError('fetch failed')
}
const truncatedAnswer: Answer = () =>
  new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) }))
const hang: Answer = ({ init: { signal } }) =>
  new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason))
  })

describe('createBindClient', () => {
  test('sends the fields of each call as documented', async () => {
    const { client, sent, time } = open(succeed)
    await client.getQrCode({ ...subject, isRefresh: true, label: '小明' })
    await client.getBindInfo(subject)
    await client.disconnect(subject)
    const common = { Account: 'acme', User_ID: 'u1', Date: time.clock() / 1000 }
    expect(sent.map(({ plaintext }) => plaintext)).toEqual([
      { ...common, Action: 'Get', IsRefresh: true, Label: '小明', Path: '/api/WeChat/GetQrCode' },
      { ...common, Action: 'Get', Path: '/api/WeChat/GetBindInfo' },
      { ...common, Action: 'Update', Path: '/api/WeChat/Disconnect' },
    ])
    expect(sent[0]?.url).toBe('https://bind.example/api/WeChat/GetQrCode')
    expect(sent[0]?.init).toMatchObject({ method: 'POST', headers: { 'Content-Type': 'application/jose' } })
    expect(new Set(sent.map(({ jti }) => jti)).size).toBe(3)
  })

  test('reaches a server that is mounted under a path', async () => {
    const { client, sent } = open(succeed, { server: 'https://bind.example/wechat/' })
    await client.getBindInfo(subject)
    expect(sent[0]?.url).toBe('https://bind.example/wechat/api/WeChat/GetBindInfo')
    expect(sent[0]?.plaintext).not.toHaveProperty('Path')
  })

  test('returns the Data of the reply', async () => {
    expect(await open(succeed).client.disconnect(subject)).toEqual({ Version: 3 })
  })

  test.each([
    ['text', secret],
    ['padded text', `${secret}=`],
    ['bytes', KEY],
  ])('accepts the key as %s', async (_, key) => {
    expect(await open(succeed, { key }).client.getBindInfo(subject)).toEqual({ Version: 3 })
  })

  test.each(['', 'short', `${secret}A`, `${secret.slice(1)}!`, '密钥', new Uint8Array(31)])(
    'throws a TypeError when it is created with the key %s',
    (key) => {
      expect(() => open(succeed, { key })).toThrow(TypeError)
      expect(() => open(succeed, { key })).toThrow('key must be 32 bytes')
    },
  )

  test.each([
    ['the reply to another request', 'another-jti'],
    ['a reply without req', undefined],
  ])('refuses %s', async (_, req) => {
    const { client } = open(async () => {
      const result = { Success: true, Code: 'OK', Message: '', Data: { IsBound: true } }
      return new Response(await sealEnvelope(result, { kid: 'k1', ...(req === undefined ? {} : { req }) }, KEY))
    })
    await expect(client.getBindInfo(subject)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test('refuses its own request when it is sent back as the reply', async () => {
    const { client } = open(({ init }) => new Response(String(init.body)))
    await expect(client.getBindInfo(subject)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  test.each<[string, Answer]>([
    ['no connection', noConnection],
    ['a truncated answer', truncatedAnswer],
    ['a proxy’s page', html],
    [
      'a reply under another key',
      async () =>
        new Response(
          await sealEnvelope(
            {},
            { kid: 'k1' },
            KEY.map((byte) => byte + 1),
          ),
        ),
    ],
  ])('retries once, with a new jti, after %s', async (_, fault) => {
    const { client, sent } = open((request, nth) => (nth === 1 ? fault(request, nth) : succeed(request, nth)))
    expect(await client.getBindInfo(subject)).toEqual({ Version: 3 })
    expect(new Set(sent.map(({ jti }) => jti)).size).toBe(2)
  })

  test.each<[string, Answer]>([
    ['no connection', noConnection],
    ['a truncated answer', truncatedAnswer],
    ['a proxy’s page', html],
  ])('throws UNREACHABLE after %s at both tries, without the secret in the error', async (_, fault) => {
    const { client, sent } = open(fault)
    const error = await client.getQrCode(subject).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'BindError', code: 'UNREACHABLE', retryable: true })
    expect(String(error)).not.toContain(secret)
    expect(sent).toHaveLength(2)
  })

  test('sends no request to the target of a redirect', async () => {
    const received: string[] = []
    const stranger = new Hono().all('*', (c) => {
      received.push(c.req.path)
      return c.text('')
    })
    const other = await startListening(stranger, '127.0.0.1', 0)
    const redirecting = new Hono().all('*', (c) => c.redirect(other.url + c.req.path, 307))
    const { server, url } = await startListening(redirecting, '127.0.0.1', 0)
    const { client } = open(succeed, { server: url, fetch })
    const error = await client.getBindInfo(subject).catch((thrown: unknown) => thrown)
    await Promise.all([stopListening(server), stopListening(other.server)])
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('HTTP 307') })
    expect(received).toEqual([])
  })

  test('does not retry disconnect: the first try may have succeeded', async () => {
    const { client, sent } = open(noConnection)
    await expect(client.disconnect(subject)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(sent).toHaveLength(1)
  })

  test('aborts a try after timeoutMs', async () => {
    const { client, sent } = open(hang, { timeoutMs: 1 })
    const late = { code: 'UNREACHABLE', cause: { name: 'TimeoutError' } }
    await expect(client.getBindInfo(subject)).rejects.toMatchObject(late)
    expect(sent).toHaveLength(2)
  })

  test('names keyId and key in the error when the server does not accept the key', async () => {
    const { client, sent } = open(() => Response.json({ code: 'UNAUTHORIZED' }, { status: 401 }))
    await expect(client.getBindInfo(subject)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('keyId and key'),
    })
    expect(sent).toHaveLength(1)
  })

  test.each([
    ['NOT_BOUND', 409, false],
    ['STALE_DATE', 400, false],
    ['REPLAYED', 409, false],
    ['WECHAT_QUOTA', 503, true],
    ['STORE_UNAVAILABLE', 503, true],
  ])('throws %s with the message of the server, and does not retry', async (code, status, retryable) => {
    const { client, sent } = open(refuse(code, { status }))
    const error = { name: 'BindError', code, status, retryable, message: 'what to do' }
    await expect(client.getQrCode(subject)).rejects.toMatchObject(error)
    expect(sent).toHaveLength(1)
  })

  test('reads retryAfterSeconds from Retry-After', async () => {
    const { client } = open(refuse('RATE_LIMITED', { status: 429, headers: { 'Retry-After': '42' } }))
    await expect(client.getQrCode(subject)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: 42 })
  })

  test('reads requestId from X-Request-Id', async () => {
    const { client } = open(refuse('WECHAT_QUOTA', { status: 503, headers: { 'X-Request-Id': 'of-the-log' } }))
    await expect(client.getQrCode(subject)).rejects.toMatchObject({ requestId: 'of-the-log' })
  })

  test.each(['FROM_TOMORROW', 'toString'])('treats the unknown code %s as INTERNAL', async (code) => {
    const { client } = open(refuse(code, { status: 500 }))
    await expect(client.getQrCode(subject)).rejects.toMatchObject({ code: 'INTERNAL', status: 500 })
  })

  test('mints a widget token without a request', async () => {
    const { client, sent, time } = open(succeed)
    const token = await client.mintToken({ ...subject, label: '小明', scope: ['bind'] })
    expect(await openToken(token, () => ({ secret: KEY }), time.clock())).toMatchObject({
      Account: 'acme',
      User_ID: 'u1',
      Label: '小明',
      scope: ['bind'],
    })
    expect(sent).toHaveLength(0)
  })
})
