import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAccount } from '../../../demo/simulator/account.ts'
import { openReply } from '../../../demo/simulator/reply.ts'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { signatureOf } from '../../../server/wechat/signature.ts'
import { toXml } from '../../../server/wechat/xml.ts'

const account = createAccount({}, randomBytes)
const openid = 'oAmy'
const text = {
  ToUserName: openid,
  FromUserName: account.originalId,
  CreateTime: 1_764_000_000,
  MsgType: 'text',
  Content: '已绑定',
}

type Sealing = Partial<{ appId: string; encodingAesKey: string; token: string; stamp: string; MsgSignature: string }>

/** Creates an encrypted reply of a correct server. A test case can override its fields. */
function seal(fields: Record<string, string | number>, broken: Sealing = {}): string {
  const { appId, encodingAesKey, token, stamp, MsgSignature } = { ...account, stamp: '1764000000', ...broken }
  const Encrypt = createCrypt(encodingAesKey, appId).encrypt(toXml(fields))
  const signature = MsgSignature ?? signatureOf(token, stamp, 'nonce', Encrypt)
  return toXml({ Encrypt, MsgSignature: signature, TimeStamp: stamp, Nonce: 'nonce' })
}

const open = (body: string, status = 200, mode = account.mode) =>
  openReply({ ...account, mode }, openid, { status, body })

describe('openReply', () => {
  test('accepts "success" and an empty body', () => {
    expect(open('success')).toEqual({ kind: 'silent' })
    expect(open('')).toEqual({ kind: 'silent' })
  })

  test('decrypts an encrypted text', () => {
    expect(open(seal(text))).toEqual({ kind: 'text', content: '已绑定', xml: toXml(text) })
  })

  test.each([
    ['"success" with status 201', 'success', 201],
    ['a redirect', '', 302],
    ['an error', seal(text), 500],
  ])('refuses %s', (_, body, status) => {
    expect(open(body, status)).toEqual({ kind: 'fault', reason: `HTTP status ${status}, not 200` })
  })

  test.each([
    ['JSON', '{"success":true}', 'the body is not XML, "success" or empty'],
    ['success with a newline', 'success\n', 'the body is not XML, "success" or empty'],
    ['a page of HTML', '<html><body>error</body></html>', 'the body is not XML, "success" or empty'],
    ['a plain text in secure mode', toXml(text), 'the reply is not encrypted, but the account uses secure mode'],
    [
      'a foreign key',
      seal(text, { encodingAesKey: 'A'.repeat(43) }),
      'Encrypt cannot be decrypted with the EncodingAESKey and the appid',
    ],
    [
      'a foreign appid',
      seal(text, { appId: 'wx0123456789abcdef' }),
      'Encrypt cannot be decrypted with the EncodingAESKey and the appid',
    ],
    ['a signature by another token', seal(text, { token: 'other' }), 'MsgSignature is wrong'],
    ['no signature', seal(text, { MsgSignature: '' }), 'MsgSignature is wrong'],
    ['no TimeStamp', seal(text, { stamp: '' }), 'TimeStamp is not a number'],
  ])('refuses %s', (_, body, reason) => {
    expect(open(body)).toMatchObject({ kind: 'fault', reason })
  })

  test.each([
    [
      'a reply whose sender and recipient are not swapped',
      { ToUserName: account.originalId, FromUserName: openid },
      'ToUserName is not',
    ],
    ['a reply to someone else', { ToUserName: 'oBo' }, 'ToUserName is not'],
    ['another sender', { FromUserName: 'gh_0' }, 'FromUserName is not'],
    ['milliseconds', { CreateTime: 1_764_000_000_000 }, 'CreateTime is not in Unix seconds'],
    ['no CreateTime', { CreateTime: '' }, 'CreateTime is not in Unix seconds'],
    ['another MsgType', { MsgType: 'json' }, 'MsgType is not text'],
    ['an empty Content', { Content: '' }, 'Content is empty'],
    ['a Content of 2049 bytes', { Content: '绑'.repeat(683) }, 'Content exceeds 2048 bytes'],
  ])('refuses %s', (_, broken, reason) => {
    expect(open(seal({ ...text, ...broken }))).toMatchObject({ kind: 'fault', reason: expect.stringContaining(reason) })
  })

  test('refuses a reply with a character that XML does not allow', () => {
    const body = toXml(text).replace('已绑定', '已\ufffe绑定')
    expect(open(body, 200, 'plain')).toEqual({ kind: 'fault', reason: 'the message is not XML', xml: body })
  })

  test('accepts plain and encrypted texts in compatible mode', () => {
    expect(open(toXml(text), 200, 'compatible')).toMatchObject({ kind: 'text' })
    expect(open(seal(text), 200, 'compatible')).toMatchObject({ kind: 'text' })
  })

  test('accepts only unencrypted texts in plain mode', () => {
    expect(open(toXml(text), 200, 'plain')).toMatchObject({ kind: 'text' })
    expect(open(seal(text), 200, 'plain')).toEqual({
      kind: 'fault',
      reason: 'the reply is encrypted, but the account uses plain mode',
    })
  })
})
