import { describe, expect, test } from 'vitest'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { type CallbackSettings, openEcho, openMessage, type Query, sealReply } from '../../../server/wechat/message.ts'
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

function sign(Encrypt: string, nowMs = NOW): Record<string, string> {
  const timestamp = String(nowMs / 1000)
  return {
    timestamp,
    nonce: '42',
    signature: signatureOf('pamtest', timestamp, '42'),
    msg_signature: signatureOf('pamtest', timestamp, '42', Encrypt),
  }
}

const toQuery = (values: Record<string, string>): Query =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]))

function sealed(message: Record<string, string> = fields, by = crypt, outer = message.ToUserName ?? '') {
  const Encrypt = by.encrypt(toXml(message))
  return { query: toQuery(sign(Encrypt)), body: toXml({ ToUserName: outer, Encrypt }) }
}

const open = ({ query, body }: { query: Query; body: string }, own: Partial<CallbackSettings> = {}, now = NOW) =>
  openMessage({ ...settings, ...own }, query, body, now)

describe('openMessage', () => {
  test('opens what WeChat sealed', () => {
    expect(open(sealed())).toMatchObject({ fields, format: 'xml' })
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

  test.each(['timestamp', 'nonce', 'msg_signature'])('refuses a %s that is missing, doubled or another', (name) => {
    const { query, body } = sealed()
    const value = query[name]?.[0] ?? ''
    for (const values of [[], [value, value], [''], [`${value}0`]]) {
      expect(() => open({ query: { ...query, [name]: values }, body })).toThrow(refused)
    }
  })

  test.each([
    [-301, false],
    [-300, true],
    [300, true],
    [301, false],
  ])('with a clock %i s off: accepted %s', (seconds, isAccepted) => {
    const attempt = () => open(sealed(), {}, NOW + seconds * 1000)
    if (isAccepted) expect(attempt().fields.FromUserName).toBe('oAmy')
    else expect(attempt).toThrow(refused)
  })

  test('refuses an outer ToUserName that is not the inner one, or not the configured account', () => {
    expect(() => open(sealed(fields, crypt, 'gh_2'))).toThrow(refused)
    expect(() => open(sealed(), { originalId: 'gh_2' })).toThrow(refused)
    expect(open(sealed(), { originalId: 'gh_1' }).fields.ToUserName).toBe('gh_1')
  })

  test('opens with the previous key during a rotation, and replies with the key that opened', () => {
    const message = open(sealed(fields, oldCrypt))
    const reply = parseXml(sealReply(settings, message, 'hi', NOW))
    expect(oldCrypt.decrypt(reply?.Encrypt ?? '')).toContain('hi')
    expect(() => open(sealed(fields, oldCrypt), { crypts: [crypt] })).toThrow(refused)
  })

  test.each(['secure', 'compatible'] as const)('refuses a plaintext message in %s mode', (mode) => {
    const query = toQuery(sign(''))
    expect(() => open({ query, body: toXml(fields) }, { mode })).toThrow(refused)
  })

  test('believes the decrypted part only in compatible mode', () => {
    const Encrypt = crypt.encrypt(toXml(fields))
    const body = toXml({ ...fields, FromUserName: 'oEve', Encrypt })
    expect(open({ query: toQuery(sign(Encrypt)), body }, { mode: 'compatible' }).fields.FromUserName).toBe('oAmy')
  })

  test('asks for the plain signature in plain mode, and ties the nonce to the body', () => {
    const query = toQuery(sign(''))
    const { nonce, fields: opened } = open({ query, body: toXml(fields) }, { mode: 'plain' })
    expect(opened).toEqual(fields)
    expect(nonce?.key).toBe('1700000000|nonce|42')
    const other = open({ query, body: toXml({ ...fields, FromUserName: 'oEve' }) }, { mode: 'plain' })
    expect(other.nonce?.bodyDigest).not.toBe(nonce?.bodyDigest)
    expect(() =>
      open({ query: { ...query, signature: ['0'.repeat(40)] }, body: toXml(fields) }, { mode: 'plain' }),
    ).toThrow(refused)
  })

  test('takes names with spaces around them in JSON, as WeChat’s samples have them', () => {
    const Encrypt = crypt.encrypt('{"ToUserName":"gh_1"," OpenID":"oAmy","RevokeInfo ":"201"}')
    const message = open({ query: toQuery(sign(Encrypt)), body: JSON.stringify({ ToUserName: 'gh_1', Encrypt }) })
    expect(message.fields).toEqual({ ToUserName: 'gh_1', OpenID: 'oAmy', RevokeInfo: '201' })
  })

  test('takes the JSON format, with numbers beyond 2^53 as they were written, and replies in it', () => {
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

  test.each(['', 'text', '<xml>', '<xml><Encrypt>', '{', '[]', 'null', '{"Encrypt":1}'])(
    'refuses the body %j',
    (body) => {
      expect(() => open({ query: sealed().query, body })).toThrow(refused)
    },
  )

  const posted = vectors.filter(({ msgSignature, plaintext }) => msgSignature && plaintext?.includes('FromUserName'))
  test.each(posted)('opens the published $id', (vector) => {
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
    expect(() => openEcho({ ...settings, token: `${token}x` }, query, Number(timestamp) * 1000)).toThrow(refused)
  })
})

describe('sealReply', () => {
  test('swaps from and to, and signs with its own stamp and nonce', () => {
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
  })
})

describe('parseXml', () => {
  test('reads CDATA and plain text, and leaves nested and repeated elements out', () => {
    const text = '\n<xml><A><![CDATA[ <b> ]]></A>\n<B>1</B><C/><D><E>x</E></D><F>1</F><F>2</F></xml>\n'
    expect(parseXml(text)).toEqual({ A: ' <b> ', B: '1', C: '' })
  })

  test('lets people write what looks like markup', () => {
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
    'refuses a flood of %s in a time that grows with its length, not with its square',
    (part) => {
      const started = performance.now()
      expect(parseXml(`<xml>${part.repeat(1_000_000 / part.length)}</xml>`)).toBeUndefined()
      // A tenth of it is used; by the square it would be half a minute.
      expect(performance.now() - started).toBeLessThan(3_000)
    },
  )

  test('expands no entity', () => {
    expect(parseXml('<xml><A>&lt;&#65;</A></xml>')?.A).toBe('&lt;&#65;')
  })
})

describe('toXml', () => {
  test('takes out the control characters that break WeChat’s parser', () => {
    expect(toXml({ A: 'a\u0000\u001fb\tc\n', B: 7 })).toBe('<xml><A><![CDATA[ab\tc\n]]></A><B>7</B></xml>')
  })
})
