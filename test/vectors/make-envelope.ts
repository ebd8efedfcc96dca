/** Writes `envelope.json`, the complete example of docs/clients.md: `node test/vectors/make-envelope.ts`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CompactEncrypt, type CompactJWEHeaderParameters } from 'jose'

const KID = 'k1'
// The bytes of the key count down, so that its base64url form contains "_" and "-". A client that decodes standard
// base64 fails with this key.
const KEY = Uint8Array.from({ length: 32 }, (_, i) => 255 - i)

const ACCOUNT = { Account: 'acme', User_ID: '用户-1' }
// 2025-10-09T08:53:20Z
const DATE = 1_760_000_000

type Example = { header: CompactJWEHeaderParameters; ivFrom: number; plaintext: object }

const examples = {
  request: {
    header: { alg: 'dir', enc: 'A256GCM', kid: KID, jti: '6f1c2a34-9d0e-4b57-8a61-0c5d3e7f9b12' },
    ivFrom: 0x00,
    plaintext: { ...ACCOUNT, Date: DATE, Action: 'Get', Path: '/api/WeChat/GetBindInfo' },
  },
  reply: {
    header: {
      alg: 'dir',
      enc: 'A256GCM',
      kid: KID,
      jti: 'b7e0d9c8-1f2a-4c3b-9d4e-5f60718293a4',
      req: '6f1c2a34-9d0e-4b57-8a61-0c5d3e7f9b12',
    },
    ivFrom: 0x10,
    plaintext: {
      Success: true,
      Code: 'OK',
      Message: '',
      Data: {
        IsBound: true,
        OpenId: 'oWorkedExample-1_amy',
        UnionId: null,
        AppId: 'wx0123456789abcdef',
        IsSubscribed: true,
        BoundAt: DATE - 60,
        Version: 1,
      },
    },
  },
  token: {
    header: { alg: 'dir', enc: 'A256GCM', kid: KID, typ: 'wechat-bind-token+jwe' },
    ivFrom: 0x20,
    plaintext: { ...ACCOUNT, iat: DATE, exp: DATE + 900, Label: 'ab***@example.com' },
  },
} satisfies Record<string, Example>

const both = (bytes: Uint8Array) => {
  const buffer = Buffer.from(bytes)
  return { hex: buffer.toString('hex'), base64url: buffer.toString('base64url') }
}

async function toVector({ header, ivFrom, plaintext }: Example) {
  const text = JSON.stringify(plaintext)
  const iv = Uint8Array.from({ length: 12 }, (_, i) => ivFrom + i)
  const compact = await new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader(header)
    .setInitializationVector(iv)
    .encrypt(KEY)
  const [first = '', , , ciphertext = '', tag = ''] = compact.split('.')
  return {
    header: JSON.stringify(header),
    headerBase64url: first,
    aadHex: Buffer.from(first).toString('hex'),
    iv: both(iv),
    plaintext: text,
    plaintextHex: Buffer.from(text).toString('hex'),
    ciphertext: both(Buffer.from(ciphertext, 'base64url')),
    tag: both(Buffer.from(tag, 'base64url')),
    compact,
  }
}

const vector = {
  about:
    'One request, one reply and one widget token, sealed with a fixed key and fixed ivs. Never use this key or these ivs for anything else.',
  key: { kid: KID, ...both(KEY) },
  request: await toVector(examples.request),
  reply: await toVector(examples.reply),
  token: await toVector(examples.token),
}

writeFileSync(join(import.meta.dirname, 'envelope.json'), `${JSON.stringify(vector, null, 2)}\n`)
