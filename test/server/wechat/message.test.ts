import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { type CallbackSettings, openEcho, openMessage, sealReply } from '../../../server/wechat/message.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { parseXml, toXml } from '../../../server/wechat/xml.ts'
import { vectors } from '../../support/vectors.ts'

const NOW = 1_700_000_000_000
const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'
const OLD_KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg'
const APP_ID = 'wxb11529c136998cb6'
const crypt = createCrypt(KEY, APP_ID)
const oldCrypt = createCrypt(OLD_KEY, APP_ID)

const settings: CallbackSettings = { mode: 'secure', token: 'pamtest', crypts: [crypt, oldCrypt] }
const fields = {
  ToUserName: 'gh_1',
  FromUserName: 'oAmy',
  CreateTime: '1700000000',
  MsgType: 'event',
  Event: 'SCAN',
  EventKey: 'wb1_x',
}
const refused = expect.objectContaining({ code: 'CALLBACK_REFUSED' })

/** Every refusal has the same code and message. Only its `cause`, which is for the log, differs. */
const refusedFor = (cause: string) =>
  expect.objectContaining({
    code: 'CALLBACK_REFUSED',
    message: 'The callback has no valid signature for this server.',
    cause,
  })

function sign(Encrypt: string, nowMs = NOW): Record<string, string> {
  const timestamp = String(nowMs / 1000)
  return {
    timestamp,
    nonce: '42',
    signature: signatureOf('pamtest', timestamp, '42'),
    msg_signature: signatureOf('pamtest', timestamp, '42', Encrypt),
  }
}

const toQuery = (values: Record<string, string>) => new URLSearchParams(values)

function sealed(message: Record<string, string> = fields, by = crypt, outer = message.ToUserName ?? '') {
  const Encrypt = by.encrypt(toXml(message))
  return { query: toQuery(sign(Encrypt)), body: toXml({ ToUserName: outer, Encrypt }) }
}

const open = (
  { query, body }: { query: URLSearchParams; body: string },
  own: Partial<CallbackSettings> = {},
  now = NOW,
) => openMessage({ ...settings, ...own }, query, body, now)

describe('openMessage', () => {
  test('decrypts a message that WeChat encrypted', () => {
    expect(open(sealed())).toMatchObject({ fields, format: 'xml', crypt })
  })

  test('refuses every single flipped byte of a message', () => {
    const { query, body } = sealed()
    const bytes = Buffer.from(body)
    for (const [at, byte] of bytes.entries()) {
      for (const bit of [1, 4, 32]) {
        const flipped = Buffer.from(bytes)
        flipped[at] = byte ^ bit
        expect(() => open({ query, body: flipped.toString() }), `byte ${at}, bit ${bit}`).toThrow(refused)
      }
    }
  })

  test.each(['timestamp', 'nonce', 'msg_signature'])('refuses a %s that is missing, repeated or changed', (name) => {
    const { query, body } = sealed()
    const { [name]: value = '', ...rest } = Object.fromEntries(query)
    expect(() => open({ query: toQuery(rest), body })).toThrow(refusedFor(name))
    const repeated = new URLSearchParams([...query, [name, value]])
    expect(() => open({ query: repeated, body })).toThrow(refusedFor(name))
    for (const changed of ['', `${value}0`]) {
      expect(() => open({ query: toQuery({ ...rest, [name]: changed }), body })).toThrow(refusedFor('msg_signature'))
    }
  })

  test.each([-300, 0, 300])('accepts a timestamp that differs from the clock by %i s', (seconds) => {
    expect(open(sealed(), {}, NOW + seconds * 1000).fields.FromUserName).toBe('oAmy')
  })

  test.each([-301, 301])('refuses a timestamp that differs from the clock by %i s', (seconds) => {
    expect(() => open(sealed(), {}, NOW + seconds * 1000)).toThrow(refusedFor('timestamp'))
  })

  test.each([' 1700000000', '1700000000 ', '1700000000.0', '+1700000000', '1.7e9', '0x6553f100', '0001700000000'])(
    'refuses the timestamp "%s", although it is signed and is the right number',
    (timestamp) => {
      expect(Number(timestamp)).toBe(NOW / 1000)
      const Encrypt = crypt.encrypt(toXml(fields))
      const signature = signatureOf('pamtest', timestamp, '42', Encrypt)
      const query = toQuery({ timestamp, nonce: '42', msg_signature: signature })
      expect(() => open({ query, body: toXml({ ToUserName: 'gh_1', Encrypt }) })).toThrow(refusedFor('timestamp'))
    },
  )

  test('refuses an outer ToUserName that is not the inner one, or not the configured account', () => {
    expect(() => open(sealed(fields, crypt, 'gh_2'))).toThrow(refusedFor('ToUserName'))
    expect(() => open(sealed(), { originalId: 'gh_2' })).toThrow(refusedFor('ToUserName'))
    expect(open(sealed(), { originalId: 'gh_1' }).fields.ToUserName).toBe('gh_1')
  })

  test('decrypts with the previous key during a rotation, and encrypts the reply with the same key', () => {
    const message = open(sealed(fields, oldCrypt))
    const reply = parseXml(sealReply(settings, message, 'hi', NOW))
    expect(oldCrypt.decrypt(reply?.Encrypt ?? '')).toContain('hi')
  })

  test('refuses a message under a key that is not configured, with the error of the last key as the cause', () => {
    const thirdCrypt = createCrypt(KEY.toUpperCase(), APP_ID)
    expect(() => open(sealed(fields, thirdCrypt))).toThrow(
      expect.objectContaining({ code: 'CALLBACK_REFUSED', cause: expect.stringMatching(/^(padding|message length)$/) }),
    )
    const otherAppId = createCrypt(KEY, 'wx0000000000000000')
    expect(() => open(sealed(fields, otherAppId), { crypts: [oldCrypt, crypt] })).toThrow(
      expect.objectContaining({ code: 'CALLBACK_REFUSED', cause: 'appid' }),
    )
  })

  test('refuses an encrypted message when no key is configured', () => {
    expect(() => open(sealed(), { crypts: [] })).toThrow(refusedFor('no key'))
  })

  test.each(['secure', 'compatible'] as const)('refuses a plaintext message in %s mode', (mode) => {
    const query = toQuery(sign(''))
    expect(() => open({ query, body: toXml(fields) }, { mode })).toThrow(refusedFor('plaintext'))
  })

  test('uses only the encrypted part of a message in compatible mode', () => {
    const Encrypt = crypt.encrypt(toXml(fields))
    const body = toXml({ ...fields, FromUserName: 'oEve', Encrypt })
    expect(open({ query: toQuery(sign(Encrypt)), body }, { mode: 'compatible' }).fields).toEqual(fields)
  })

  test('checks the plain signature in plain mode, and returns the nonce with a digest of the body', () => {
    const query = toQuery(sign(''))
    const body = toXml(fields)
    const { nonce, ...message } = open({ query, body }, { mode: 'plain' })
    expect(message).toEqual({ fields, format: 'xml' })
    expect(nonce).toEqual({ key: '1700000000|nonce|42', bodyDigest: hash('sha256', body) })
    const other = open({ query, body: toXml({ ...fields, FromUserName: 'oEve' }) }, { mode: 'plain' })
    expect(other.nonce?.bodyDigest).not.toBe(nonce?.bodyDigest)
    query.set('signature', '0'.repeat(40))
    expect(() => open({ query, body }, { mode: 'plain' })).toThrow(refusedFor('signature'))
  })

  test('accepts names with spaces around them in JSON, as in WeChat’s samples', () => {
    const Encrypt = crypt.encrypt('{"ToUserName":"gh_1"," OpenID":"oAmy","RevokeInfo ":"201"}')
    const message = open({ query: toQuery(sign(Encrypt)), body: JSON.stringify({ ToUserName: 'gh_1', Encrypt }) })
    expect(message.fields).toEqual({ ToUserName: 'gh_1', OpenID: 'oAmy', RevokeInfo: '201' })
  })

  test('accepts JSON, keeps numbers beyond 2^53 as they were written, and replies in JSON', () => {
    const text = `{"ToUserName":"gh_1","FromUserName":"oAmy","CreateTime":1700000000,"MsgType":"text","MsgId":22478079132150902}`
    const Encrypt = crypt.encrypt(text)
    const message = open({ query: toQuery(sign(Encrypt)), body: JSON.stringify({ ToUserName: 'gh_1', Encrypt }) })
    expect(message.fields).toMatchObject({ CreateTime: '1700000000', MsgId: '22478079132150902' })
    const reply = JSON.parse(sealReply(settings, message, 'hi', NOW))
    expect(JSON.parse(crypt.decrypt(reply.Encrypt))).toMatchObject({
      ToUserName: 'oAmy',
      FromUserName: 'gh_1',
      Content: 'hi',
    })
    expect(reply.TimeStamp).toBe(1_700_000_000)
  })

  test('accepts JSON after white space, and reads only texts and numbers', () => {
    const text = ' \n{"ToUserName":"gh_1","A":{"B":"c"},"C":["d"],"E":true,"F":null,"G":-1.50}'
    const Encrypt = crypt.encrypt(text)
    const body = ` \n${JSON.stringify({ ToUserName: 'gh_1', Encrypt })}`
    const message = open({ query: toQuery(sign(Encrypt)), body })
    expect(message).toMatchObject({ format: 'json' })
    expect(message.fields).toEqual({ ToUserName: 'gh_1', G: '-1.50' })
  })

  test.each([
    ['', 'xml'],
    ['text', 'xml'],
    ['<xml>', 'xml'],
    ['<xml><Encrypt>', 'xml'],
    ['[]', 'xml'],
    ['null', 'xml'],
    ['{', 'json'],
    ['{"Encrypt":1', 'json'],
    ['{}', 'plaintext'],
    ['{"Encrypt":null}', 'plaintext'],
    ['<xml></xml>', 'plaintext'],
  ])('refuses the body %j', (body, cause) => {
    expect(() => open({ query: sealed().query, body })).toThrow(refusedFor(cause))
  })

  test('refuses an encrypted text that is not a message', () => {
    const Encrypt = crypt.encrypt('<html></html>')
    const body = toXml({ ToUserName: 'gh_1', Encrypt })
    expect(() => open({ query: toQuery(sign(Encrypt)), body })).toThrow(refusedFor('xml'))
  })

  const posted = vectors.filter(({ msgSignature, plaintext }) => msgSignature && plaintext?.includes('FromUserName'))
  test.each(posted)('decrypts the published $id', (vector) => {
    const { encrypted: Encrypt = '', timestamp, nonce, msgSignature = '' } = vector
    const own = { token: vector.token, crypts: [createCrypt(vector.encodingAesKey, vector.appId)] }
    const inner = vector.plaintext?.startsWith('{') ? JSON.parse(vector.plaintext) : parseXml(vector.plaintext ?? '')
    const query = toQuery({ timestamp, nonce, msg_signature: msgSignature })
    const message = open(
      { query, body: toXml({ ToUserName: inner.ToUserName, Encrypt }) },
      own,
      Number(timestamp) * 1000,
    )
    expect(message.fields.FromUserName).toBe(inner.FromUserName)
  })
})

describe('openEcho', () => {
  test.each(vectors.filter(({ signature, echostr }) => signature && echostr))('answers the published $id', (vector) => {
    const { token, timestamp, nonce, signature = '', echostr = '' } = vector
    const query = toQuery({ timestamp, nonce, signature, echostr })
    expect(openEcho({ ...settings, token }, query, Number(timestamp) * 1000)).toBe(echostr)
    expect(() => openEcho({ ...settings, token: `${token}x` }, query, Number(timestamp) * 1000)).toThrow(
      refusedFor('signature'),
    )
  })

  function answerTo(...echostr: string[]) {
    const query = toQuery(sign(''))
    for (const each of echostr) query.append('echostr', each)
    return openEcho(settings, query, NOW)
  }

  test.each(['1', '8'.repeat(256), 'Az09+/=_-'])('answers the echostr %s unchanged', (echostr) => {
    expect(answerTo(echostr)).toBe(echostr)
  })

  test.each(['', '8'.repeat(257), '<script>', '1<', '<1', 'a b', '1\n', '绑定'])(
    'refuses the echostr %j',
    (echostr) => {
      expect(() => answerTo(echostr)).toThrow(refusedFor('echostr'))
    },
  )

  test('refuses an echostr that is missing or repeated', () => {
    expect(() => answerTo()).toThrow(refusedFor('echostr'))
    expect(() => answerTo('1', '1')).toThrow(refusedFor('echostr'))
  })
})

describe('sealReply', () => {
  test('swaps sender and receiver, and signs with a timestamp and a nonce of its own', () => {
    const reply = parseXml(sealReply(settings, open(sealed()), 'a ]]> b', NOW)) ?? {}
    const { Encrypt = '', MsgSignature, TimeStamp = '', Nonce = '' } = reply
    expect(MsgSignature).toBe(signatureOf('pamtest', TimeStamp, Nonce, Encrypt))
    expect(parseXml(crypt.decrypt(Encrypt))).toEqual({
      ToUserName: 'oAmy',
      FromUserName: 'gh_1',
      CreateTime: '1700000000',
      MsgType: 'text',
      Content: 'a ]]> b',
    })
    expect(Nonce).toMatch(/^[0-9a-f]{16}$/)
    expect(parseXml(sealReply(settings, open(sealed()), 'a', NOW))?.Nonce).not.toBe(Nonce)
  })

  test('writes whole seconds', () => {
    const reply = parseXml(sealReply(settings, open(sealed()), 'hi', NOW + 999))
    expect(reply?.TimeStamp).toBe('1700000000')
    expect(parseXml(crypt.decrypt(reply?.Encrypt ?? ''))?.CreateTime).toBe('1700000000')
  })

  const plain: CallbackSettings = { ...settings, mode: 'plain', crypts: [] }
  const replyTo = (body: string) => sealReply(plain, openMessage(plain, toQuery(sign('')), body, NOW), 'hi', NOW)

  test('does not encrypt in plain mode', () => {
    expect(parseXml(replyTo(toXml(fields)))).toEqual({
      ToUserName: 'oAmy',
      FromUserName: 'gh_1',
      CreateTime: '1700000000',
      MsgType: 'text',
      Content: 'hi',
    })
  })

  test('writes an empty name when the message has none', () => {
    expect(parseXml(replyTo(toXml({ MsgType: 'text' })))).toMatchObject({ ToUserName: '', FromUserName: '' })
  })
})

describe('parseXml', () => {
  test('reads CDATA and plain text, and leaves out nested and repeated elements', () => {
    const text = '\n<xml><A><![CDATA[ <b> ]]></A>\n<B>1</B><C/><D><E>x</E></D><F>1</F><F>2</F></xml>\n'
    expect(parseXml(text)).toEqual({ A: ' <b> ', B: '1', C: '' })
  })

  test('reads CDATA whose text looks like markup', () => {
    expect(parseXml(toXml({ Content: '<!DOCTYPE html><?php <!-- </xml>' }))?.Content).toBe(
      '<!DOCTYPE html><?php <!-- </xml>',
    )
  })

  test.each([
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><A>&e;</A></xml>',
    '<xml><!DOCTYPE x><A>1</A></xml>',
    '<xml><A>1</B></xml>',
    '<xml><A>1</A>',
    '<xml><A><![BDATA[1]]></A></xml>',
    '<a>1</a>',
    '<xml><A>1</A></xml><xml><B>2</B></xml>',
    '<xml><!-- c --><A>1</A></xml>',
    '<xml><?php x?><A>1</A></xml>',
    '<xml><A><![CDATA[1</A></xml>',
    '<xml><__proto__>1</__proto__></xml>',
    '<xml>text</xml>',
    '',
  ])('refuses %s', (text) => {
    expect(parseXml(text)).toBeUndefined()
  })

  test.each(['<![CDATA[', '<a>1</a>', ']]>', '<![CDATA[]]', '&a;', '<a '])(
    'refuses 1 MB of %s in linear time',
    (part) => {
      const started = performance.now()
      expect(parseXml(`<xml>${part.repeat(1_000_000 / part.length)}</xml>`)).toBeUndefined()
      // Linear time takes a tenth of this limit, and quadratic time half a minute.
      expect(performance.now() - started).toBeLessThan(3_000)
    },
  )

  test('expands no entity', () => {
    expect(parseXml('<xml><A>&lt;&#65;</A></xml>')?.A).toBe('&lt;&#65;')
  })
})

describe('toXml', () => {
  test('removes the control characters that WeChat’s parser refuses', () => {
    expect(toXml({ A: 'a\u0000\u001fb\tc\n', B: 7 })).toBe('<xml><A><![CDATA[ab\tc\n]]></A><B>7</B></xml>')
  })
})
