import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FAULT_NOTICE } from '../../../demo/simulator/chat.ts'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { openMessage } from '../../../server/wechat/message.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { parseXml } from '../../../server/wechat/xml.ts'
import { type Callback, setStage, success } from './simulator-fixture.ts'

const failing: Callback = () => new Response('down', { status: 500 })
const silent: Callback = () => new Promise<Response>(() => {})
const unreachable: Callback = () => Promise.reject(new TypeError('fetch failed'))

/** Follows, with the clock moved on until WeChat has given up. */
async function followThrough(stage: ReturnType<typeof setStage>) {
  const followed = stage.simulator.phone('amy').follow()
  for (let time = 0; time < 4; time += 1) await stage.time.advance(5000)
  return followed
}

const seconds = (stage: ReturnType<typeof setStage>) =>
  stage.deliveries.map(({ at }) => (at - stage.deliveries[0]!.at) / 1000)

describe('createDelivery', () => {
  test('delivers once when the answer is success', async () => {
    const stage = setStage(success)
    expect(await stage.simulator.phone('amy').follow()).toEqual({ kind: 'silent' })
    await stage.time.advance(60_000)
    expect(stage.deliveries).toHaveLength(1)
    expect(stage.time.waiting()).toBe(0)
  })

  test.each([
    ['HTTP 500', failing, 'HTTP status 500, not 200'],
    ['silence', silent, 'no answer within 5 s'],
    ['a dead line', unreachable, 'no connection'],
  ])('delivers three times more, 5 s apart, after %s', async (_, callback, reason) => {
    const stage = setStage(callback)
    expect(await followThrough(stage)).toEqual({ kind: 'fault', reason })
    expect(seconds(stage)).toEqual([0, 5, 10, 15])
    await stage.time.advance(60_000)
    expect(stage.deliveries).toHaveLength(4)
  })

  test('repeats the message unchanged under a new timestamp and nonce', async () => {
    const stage = setStage(failing)
    await followThrough(stage)
    const entries = stage.simulator.wire.since(0)
    expect(new Set(entries.map(({ opened }) => opened)).size).toBe(1)
    expect(new Set(stage.deliveries.map(({ url }) => url.searchParams.get('nonce'))).size).toBe(4)
    const stamps = stage.deliveries.map(({ url }) => Number(url.searchParams.get('timestamp')))
    expect(stamps.map((stamp) => stamp - stamps[0]!)).toEqual([0, 5, 10, 15])
  })

  test('stops as soon as a retry is taken, and shows that answer', async () => {
    let tries = 0
    const stage = setStage(() => {
      tries += 1
      return tries < 3 ? new Response('', { status: 503 }) : new Response('success')
    })
    expect(await followThrough(stage)).toEqual({ kind: 'silent' })
    expect(seconds(stage)).toEqual([0, 5, 10])
    expect(stage.simulator.phone('amy').chat).toEqual([])
  })

  test('shows one notice in the chat when every try failed', async () => {
    const stage = setStage(failing)
    await followThrough(stage)
    expect(stage.simulator.phone('amy').chat).toMatchObject([{ from: 'wechat', content: FAULT_NOTICE }])
  })

  test('hangs up when it stops waiting', async () => {
    const signals: AbortSignal[] = []
    const stage = setStage((_, { signal }) => {
      signals.push(signal!)
      return new Promise<Response>(() => {})
    })
    await followThrough(stage)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true])
  })

  test('pushes nothing until a callback URL is set', async () => {
    const stage = setStage(success, { callbackUrl: undefined })
    expect(await stage.simulator.phone('amy').follow()).toEqual({ kind: 'silent' })
    expect(stage.deliveries).toEqual([])
    stage.simulator.setCallbackUrl('https://bind.example/later')
    await stage.simulator.phone('amy').unfollow()
    expect(stage.deliveries.map(({ url }) => url.pathname)).toEqual(['/later'])
  })
})

describe('sealMessage', () => {
  const one = (url: URL) => Object.fromEntries([...url.searchParams].map(([name, value]) => [name, [value]]))

  test('encrypts and signs in secure mode so that the server opens it', async () => {
    const stage = setStage()
    const { account } = stage.simulator
    await stage.simulator.phone('amy').follow()
    const { url, body, at } = stage.deliveries[0]!
    const crypts = [createCrypt(account.encodingAesKey, account.appId)]
    const settings = { mode: 'secure', token: account.token, originalId: account.originalId, crypts } as const
    expect(openMessage({ ...settings, crypts }, one(url), body, at).fields).toMatchObject({ Event: 'subscribe' })
    expect([...url.searchParams.keys()].sort()).toEqual(
      ['encrypt_type', 'msg_signature', 'nonce', 'openid', 'signature', 'timestamp'].sort(),
    )
    expect(Object.keys(parseXml(body) ?? {})).toEqual(['ToUserName', 'Encrypt'])
  })

  test('signs token, timestamp and nonce, and the ciphertext apart', async () => {
    const stage = setStage()
    await stage.simulator.phone('amy').follow()
    const { url, body } = stage.deliveries[0]!
    const { signature, timestamp, nonce, msg_signature } = Object.fromEntries(url.searchParams)
    const signed = [stage.simulator.account.token, timestamp!, nonce!]
    expect(signature).toBe(signatureOf(...signed))
    expect(msg_signature).toBe(signatureOf(...signed, parseXml(body)?.Encrypt ?? ''))
  })

  test('sends the elements and the ciphertext in compatible mode, and elements alone in plain mode', async () => {
    for (const [mode, hasCipher] of [
      ['compatible', true],
      ['plain', false],
    ] as const) {
      const stage = setStage(success, { account: { mode } })
      await stage.simulator.phone('amy').follow()
      const { url, body } = stage.deliveries[0]!
      const fields = parseXml(body) ?? {}
      expect(fields.Event).toBe('subscribe')
      expect('Encrypt' in fields).toBe(hasCipher)
      expect(url.searchParams.has('msg_signature')).toBe(hasCipher)
    }
  })

  test('makes the signature and the ciphertext of the published vectors', () => {
    const vectors = JSON.parse(readFileSync(new URL('../../vectors/wechat-vectors.json', import.meta.url), 'utf8'))
    const repeatable = vectors.filter(({ random, plaintext }: Record<string, string>) => random && plaintext)
    expect(repeatable.length).toBeGreaterThan(0)
    for (const {
      token,
      timestamp,
      nonce,
      encodingAesKey,
      appId,
      random,
      plaintext,
      encrypted,
      msgSignature,
    } of repeatable) {
      const cipherText = createCrypt(encodingAesKey, appId).encrypt(plaintext, Buffer.from(random))
      expect(cipherText).toBe(encrypted)
      if (msgSignature) expect(signatureOf(token, timestamp, nonce, cipherText)).toBe(msgSignature)
    }
  })
})

describe('verifyCallbackUrl', () => {
  const echo: Callback = (url) => new Response(new URL(url).searchParams.get('echostr'))

  test('accepts an answer that is the echostr, byte for byte', async () => {
    const { simulator, deliveries } = setStage(echo)
    expect(await simulator.verifyCallbackUrl()).toBeUndefined()
    const query = Object.fromEntries(deliveries[0]!.url.searchParams)
    expect(Object.keys(query).sort()).toEqual(['echostr', 'nonce', 'signature', 'timestamp'])
    expect(query.signature).toBe(signatureOf(simulator.account.token, query.timestamp!, query.nonce!))
    expect(query.echostr).toMatch(/^\d{19}$/)
  })

  test.each<[string, Callback]>([
    ['quoted', (url) => Response.json(new URL(url).searchParams.get('echostr'))],
    ['with a newline', (url) => new Response(`${new URL(url).searchParams.get('echostr')}\n`)],
    ['as a number', (url) => new Response(String(Number(new URL(url).searchParams.get('echostr'))))],
    ['with status 201', (url) => new Response(new URL(url).searchParams.get('echostr'), { status: 201 })],
    ['success instead', success],
    ['nothing', unreachable],
  ])('refuses an answer %s', async (_, callback) => {
    expect(await setStage(callback).simulator.verifyCallbackUrl()).toEqual(expect.any(String))
  })
})
