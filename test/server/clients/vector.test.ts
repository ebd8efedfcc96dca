/** Checks the worked example of docs/clients.md: with the code of the server, with AES-256-GCM alone, and as quoted in the pages. */
import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseJson, parseShape, requestSchemas } from '../../../server/api/request-schemas.ts'
import { openEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import { openToken } from '../../../server/keys/widget-token.ts'
import { openTestServer } from '../../support/test-server.ts'
import vector from '../../vectors/envelope.json' with { type: 'json' }

const { request, reply, token } = vector
const key = Buffer.from(vector.key.hex, 'hex')
const findKey = (kid: string) => (kid === vector.key.kid ? { secret: new Uint8Array(key) } : undefined)
const BIND_KEYS = `${vector.key.kid}:${vector.key.base64url}`

/** The page without white space, because it wraps long values. */
const pageOf = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../../docs', name), 'utf8').replace(/\s/g, '')

function textsOf(value: string | object): string[] {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(textsOf)
}

describe.each(['request', 'reply', 'token'] as const)('envelope.json, the %s', (name) => {
  const example = vector[name]

  test('is reproduced byte for byte with AES-256-GCM alone', () => {
    const header = Buffer.from(example.header).toString('base64url')
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(example.iv.hex, 'hex'))
    cipher.setAAD(Buffer.from(header, 'ascii'))
    const ciphertext = Buffer.concat([cipher.update(example.plaintext, 'utf8'), cipher.final()])
    const tag = cipher.getAuthTag()
    const iv = Buffer.from(example.iv.hex, 'hex')
    expect(example.headerBase64url).toBe(header)
    expect(example.aadHex).toBe(Buffer.from(header, 'ascii').toString('hex'))
    expect(example.plaintextHex).toBe(Buffer.from(example.plaintext, 'utf8').toString('hex'))
    for (const [bytes, written] of [[key, vector.key] as const, [iv, example.iv] as const]) {
      expect(written).toMatchObject({ hex: bytes.toString('hex'), base64url: bytes.toString('base64url') })
    }
    expect(example.ciphertext).toEqual({ hex: ciphertext.toString('hex'), base64url: ciphertext.toString('base64url') })
    expect(example.tag).toEqual({ hex: tag.toString('hex'), base64url: tag.toString('base64url') })
    expect(example.compact).toBe(
      [header, '', ...[iv, ciphertext, tag].map((part) => part.toString('base64url'))].join('.'),
    )
  })

  test('is opened by openEnvelope', async () => {
    const opened = await openEnvelope(example.compact, name === 'token' ? TOKEN_TYPE : undefined, findKey)
    expect(opened.text).toBe(example.plaintext)
    const { alg: _, enc: __, ...header } = JSON.parse(example.header)
    expect(opened.header).toEqual(header)
  })
})

describe('envelope.json', () => {
  test('matches the schemas of the server: the call, the reply to it, the claims of the token', async () => {
    const plaintext = parseJson(request.plaintext)
    expect(parseShape(requestSchemas.GetBindInfo, plaintext)).toEqual(plaintext)
    expect(JSON.parse(reply.header).req).toBe(JSON.parse(request.header).jti)
    const { iat } = JSON.parse(token.plaintext)
    expect(await openToken(token.compact, findKey, iat * 1000)).toMatchObject(JSON.parse(token.plaintext))
  })

  test('is refused because of its age: the request with STALE_DATE, the token with TOKEN_EXPIRED', async () => {
    const testServer = await openTestServer({ BIND_KEYS })
    const path = JSON.parse(request.plaintext).Path
    const response = await testServer.app.request(path, { method: 'POST', body: request.compact })
    const { text, header } = await openEnvelope(await response.text(), undefined, findKey)
    expect([response.status, JSON.parse(text).Code]).toEqual([400, 'STALE_DATE'])
    expect(header.req).toBe(JSON.parse(request.header).jti)
    const expired = await testServer.widget('GET', '/binding', { token: token.compact })
    expect([expired.status, await expired.json()]).toEqual([401, expect.objectContaining({ code: 'TOKEN_EXPIRED' })])
    await testServer.close()
  })

  test.each(['clients.md', 'clients.zh-CN.md'])('is quoted unchanged in %s', (name) => {
    const page = pageOf(name)
    const quoted = [vector.key, request, reply.header, reply.plaintext, reply.compact, token.header, token.plaintext]
    for (const text of [...quoted.flatMap(textsOf), token.compact]) expect(page).toContain(text.replace(/\s/g, ''))
  })
})
