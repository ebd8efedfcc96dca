/** Makes the common mistakes that docs/clients.md lists, and checks that the server answers as documented. */
import { createCipheriv, randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEnvelope, TOKEN_TYPE } from '../../../server/keys/envelope.ts'
import { openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'

const KEY = Buffer.from(SECRET, 'base64url')

let testServer: TestServer
beforeAll(async () => {
  testServer = await openTestServer()
})
afterAll(() => testServer.close())

type Mistakes = {
  header?: object
  plaintext?: object
  ivBytes?: number
  /** The additional authenticated data. The default is part 1. */
  aad?: (header: string) => string
  /** Joins the five parts; by default with dots. */
  join?: (parts: [string, string, string, string, string]) => string
}

const unixNow = () => Math.floor(testServer.time.clock() / 1000)

/** An encrypted request that is valid except for the given mistakes. */
function seal({ header, plaintext, ivBytes = 12, aad, join = (parts) => parts.join('.') }: Mistakes): string {
  const headerText = JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: 'k1', jti: randomUUID(), ...header })
  const request = { Account: 'acme', User_ID: '42', Date: unixNow(), Action: 'Get', ...plaintext }
  const first = Buffer.from(headerText).toString('base64url')
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', KEY, iv).setAAD(Buffer.from(aad ? aad(headerText) : first))
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(request)), cipher.final()])
  const [third, fourth, fifth] = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))
  return join([first, '', third!, fourth!, fifth!])
}

/** The `Code` of the encrypted reply, or the `code` of the problem document. */
async function answerTo(envelope: string, call = 'GetBindInfo'): Promise<string> {
  const response = await testServer.app.request(`/api/WeChat/${call}`, { method: 'POST', body: envelope })
  const body = await response.text()
  if (response.status === 401) return JSON.parse(body).code
  const { text } = await openEnvelope(body, undefined, () => ({ secret: new Uint8Array(KEY) }))
  return JSON.parse(text).Code
}

describe('a request made by hand', () => {
  test('is accepted without a mistake, with any order and spacing of its header', async () => {
    expect(await answerTo(seal({}))).toBe('OK')
    expect(await answerTo(seal({ header: { cty: ' json ' }, plaintext: { Other: [] } }))).toBe('OK')
  })

  test.each<[string, string, Mistakes]>([
    ['"=" after part 1', 'UNAUTHORIZED', { join: ([first, ...rest]) => [`${first}=`, ...rest].join('.') }],
    ['the JSON of the header as additional data', 'UNAUTHORIZED', { aad: (header) => header }],
    ['no additional data', 'UNAUTHORIZED', { aad: () => '' }],
    ['the tag appended to the ciphertext', 'UNAUTHORIZED', { join: ([a, b, c, d, e]) => [a, b, c, d + e].join('.') }],
    ['an iv of 16 bytes', 'UNAUTHORIZED', { ivBytes: 16 }],
    ['zip', 'UNAUTHORIZED', { header: { zip: 'DEF' } }],
    ['crit', 'UNAUTHORIZED', { header: { crit: ['jti'] } }],
    ['jwk', 'UNAUTHORIZED', { header: { jwk: {} } }],
    ['A256KW', 'UNAUTHORIZED', { header: { alg: 'A256KW' } }],
    ['the typ of a token', 'UNAUTHORIZED', { header: { typ: TOKEN_TYPE } }],
    ['no jti', 'BAD_REQUEST', { header: { jti: undefined } }],
    ['a Date in milliseconds', 'STALE_DATE', { plaintext: { Date: 1_760_000_000_000 } }],
    ['a Date as a string', 'BAD_REQUEST', { plaintext: { Date: '1760000000' } }],
    ['the Action of another call', 'BAD_REQUEST', { plaintext: { Action: 'Update' } }],
    ['a number as User_ID', 'BAD_REQUEST', { plaintext: { User_ID: 42 } }],
  ])('with %s gets %s', async (_, code, mistakes) => {
    expect(await answerTo(seal(mistakes))).toBe(code)
  })

  test('is refused as REPLAYED the second time', async () => {
    const envelope = seal({})
    expect([await answerTo(envelope), await answerTo(envelope)]).toEqual(['OK', 'REPLAYED'])
  })

  test('is accepted as a token only with the typ of a token', async () => {
    const claims = { iat: unixNow(), exp: unixNow() + 900 }
    const status = async (header: object) =>
      (await testServer.widget('GET', '/binding', { token: seal({ header, plaintext: claims }) })).status
    expect([await status({ typ: TOKEN_TYPE }), await status({})]).toEqual([200, 401])
  })
})
