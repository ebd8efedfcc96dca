import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FAULT_NOTICE } from '../../../demo/simulator/chat.ts'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { openMessage } from '../../../server/wechat/message.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { parseXml } from '../../../server/wechat/xml.ts'
import { type Callback, createFixture, success } from './simulator-fixture.ts'

const failing: Callback = () => new Response('down', { status: 500 })
const silent: Callback = () => new Promise<Response>(() => {})
const unreachable: Callback = () => Promise.reject(new TypeError('fetch failed'))

/** Lets the person follow, and advances the clock until the last retry has failed. */
async function followUntilLastRetry(fixture: ReturnType<typeof createFixture>) {
  const followed = fixture.simulator.phone('amy').follow()
  for (let time = 0; time < 4; time += 1) await fixture.time.advance(5000)
  return followed
}

const seconds = (fixture: ReturnType<typeof createFixture>) =>
  fixture.deliveries.map(({ at }) => (at - fixture.deliveries[0]!.at) / 1000)

describe('createDelivery', () => {
  test('delivers a message once when the response is "success"', async () => {
    const fixture = createFixture(success)
    expect(await fixture.simulator.phone('amy').follow()).toEqual({ kind: 'silent' })
    await fixture.time.advance(60_000)
    expect(fixture.deliveries).toHaveLength(1)
    expect(fixture.time.waiting()).toBe(0)
  })

  test.each([
    ['HTTP 500', failing, 'HTTP status 500, not 200'],
    ['silence', silent, 'no answer within 5 s'],
    ['a lost connection', unreachable, 'no connection'],
  ])('retries three times, 5 s apart, after %s', async (_, callback, reason) => {
    const fixture = createFixture(callback)
    expect(await followUntilLastRetry(fixture)).toEqual({ kind: 'fault', reason })
    expect(seconds(fixture)).toEqual([0, 5, 10, 15])
    await fixture.time.advance(60_000)
    expect(fixture.deliveries).toHaveLength(4)
  })

  test('repeats the unchanged message with a new timestamp and nonce', async () => {
    const fixture = createFixture(failing)
    await followUntilLastRetry(fixture)
    const entries = fixture.simulator.wire.since(0)
    expect(new Set(entries.map(({ opened }) => opened)).size).toBe(1)
    expect(new Set(fixture.deliveries.map(({ url }) => url.searchParams.get('nonce'))).size).toBe(4)
    const stamps = fixture.deliveries.map(({ url }) => Number(url.searchParams.get('timestamp')))
    expect(stamps.map((stamp) => stamp - stamps[0]!)).toEqual([0, 5, 10, 15])
  })

  test('stops after the first successful retry, and displays the reply', async () => {
    let tries = 0
    const fixture = createFixture(() => {
      tries += 1
      return tries < 3 ? new Response('', { status: 503 }) : new Response('success')
    })
    expect(await followUntilLastRetry(fixture)).toEqual({ kind: 'silent' })
    expect(seconds(fixture)).toEqual([0, 5, 10])
    expect(fixture.simulator.phone('amy').chat).toEqual([])
  })

  test('displays one notice in the chat after all attempts have failed', async () => {
    const fixture = createFixture(failing)
    await followUntilLastRetry(fixture)
    expect(fixture.simulator.phone('amy').chat).toMatchObject([{ from: 'wechat', content: FAULT_NOTICE }])
  })

  test('aborts the request after the timeout', async () => {
    const signals: AbortSignal[] = []
    const fixture = createFixture((_, { signal }) => {
      signals.push(signal!)
      return new Promise<Response>(() => {})
    })
    await followUntilLastRetry(fixture)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true, true])
  })

  test('sends nothing until a callback URL is set', async () => {
    const fixture = createFixture(success, { callbackUrl: undefined })
    expect(await fixture.simulator.phone('amy').follow()).toEqual({ kind: 'silent' })
    expect(fixture.deliveries).toEqual([])
    fixture.simulator.setCallbackUrl('https://bind.example/later')
    await fixture.simulator.phone('amy').unfollow()
    expect(fixture.deliveries.map(({ url }) => url.pathname)).toEqual(['/later'])
  })
})

describe('sealMessage', () => {
  test('in secure mode, encrypts and signs a message that the server can decrypt', async () => {
    const fixture = createFixture()
    const { account } = fixture.simulator
    await fixture.simulator.phone('amy').follow()
    const { url, body, at } = fixture.deliveries[0]!
    const crypts = [createCrypt(account.encodingAesKey, account.appId)]
    const settings = { mode: 'secure', token: account.token, originalId: account.originalId, crypts } as const
    expect(openMessage({ ...settings, crypts }, url.searchParams, body, at).fields).toMatchObject({
      Event: 'subscribe',
    })
    expect([...url.searchParams.keys()].sort()).toEqual(
      ['encrypt_type', 'msg_signature', 'nonce', 'openid', 'signature', 'timestamp'].sort(),
    )
    expect(Object.keys(parseXml(body) ?? {})).toEqual(['ToUserName', 'Encrypt'])
  })

  test('signs token, timestamp and nonce for `signature`, and also the ciphertext for `msg_signature`', async () => {
    const fixture = createFixture()
    await fixture.simulator.phone('amy').follow()
    const { url, body } = fixture.deliveries[0]!
    const { signature, timestamp, nonce, msg_signature } = Object.fromEntries(url.searchParams)
    const signed = [fixture.simulator.account.token, timestamp!, nonce!]
    expect(signature).toBe(signatureOf(...signed))
    expect(msg_signature).toBe(signatureOf(...signed, parseXml(body)?.Encrypt ?? ''))
  })

  test('sends XML elements and ciphertext in compatible mode, and only XML elements in plain mode', async () => {
    for (const [mode, hasCipher] of [
      ['compatible', true],
      ['plain', false],
    ] as const) {
      const fixture = createFixture(success, { account: { mode } })
      await fixture.simulator.phone('amy').follow()
      const { url, body } = fixture.deliveries[0]!
      const fields = parseXml(body) ?? {}
      expect(fields.Event).toBe('subscribe')
      expect('Encrypt' in fields).toBe(hasCipher)
      expect(url.searchParams.has('msg_signature')).toBe(hasCipher)
    }
  })

  test('produces the signatures and ciphertexts of WeChat’s published examples', () => {
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

  test('accepts a response that equals the echostr', async () => {
    const { simulator, deliveries } = createFixture(echo)
    expect(await simulator.verifyCallbackUrl()).toBeUndefined()
    const query = Object.fromEntries(deliveries[0]!.url.searchParams)
    expect(Object.keys(query).sort()).toEqual(['echostr', 'nonce', 'signature', 'timestamp'])
    expect(query.signature).toBe(signatureOf(simulator.account.token, query.timestamp!, query.nonce!))
    expect(query.echostr).toMatch(/^\d{19}$/)
  })

  test.each<[string, Callback]>([
    ['quoted', (url) => Response.json(new URL(url).searchParams.get('echostr'))],
    ['with a newline after the echostr', (url) => new Response(`${new URL(url).searchParams.get('echostr')}\n`)],
    ['with the echostr as a number', (url) => new Response(String(Number(new URL(url).searchParams.get('echostr'))))],
    ['with status 201', (url) => new Response(new URL(url).searchParams.get('echostr'), { status: 201 })],
    ['success instead', success],
    ['nothing', unreachable],
  ])('rejects a response %s', async (_, callback) => {
    expect(await createFixture(callback).simulator.verifyCallbackUrl()).toEqual(expect.any(String))
  })
})
