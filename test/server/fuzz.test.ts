/** Random input from a fixed seed causes no 5xx, no hang, no write and no memory leak. A fault found here gets its own test. */
import fc from 'fast-check'
import { CompactEncrypt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sealMessage } from '../../demo/simulator/message.ts'
import { sealEnvelope, TOKEN_TYPE } from '../../server/keys/envelope.ts'
import { heldBytes } from '../support/heap.ts'
import { openTestServer, SECRET, type TestServer } from '../support/test-server.ts'

const SEED = 20260115
const KEY = new Uint8Array(Buffer.from(SECRET, 'base64url'))

let testServer: TestServer
let writes = 0
beforeAll(async () => {
  testServer = await openTestServer(
    {},
    {
      wrapStore: (store) => ({
        ...store,
        write: (work) => {
          writes++
          return store.write(work)
        },
      }),
    },
  )
})
afterAll(() => testServer.close())

const run = (numRuns: number) => ({ seed: SEED, numRuns })

/** The text with one byte changed or dropped, or with up to 255 bytes repeated. */
const mutated = (text: string) =>
  fc
    .tuple(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), fc.constantFrom('flip', 'double', 'drop'))
    .map(([at, bits, how]) => {
      const bytes = Buffer.from(text)
      if (how === 'flip') bytes[at] = (bytes[at] ?? 0) ^ bits
      if (how === 'drop') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
      return how === 'double' ? Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - bits))]) : bytes
    })

const nested = (open: string, inner: string, close: string, depth: number) =>
  open.repeat(depth) + inner + close.repeat(depth)

/**
 * JSON values, as text, that break code which trusts their shape: members that replace an object's own methods, nesting up to
 * `maxLength` characters, numbers beyond every float or integer, lone surrogates. `JSON.stringify` cannot write most of them.
 */
const hostileJson = (maxLength: number) =>
  fc.oneof(
    fc.constantFrom(
      '{"toString":1}',
      '{"toString":null,"valueOf":null}',
      '{"toJSON":1}',
      '{"then":1}',
      '{"__proto__":null}',
      '{"__proto__":{"toString":1}}',
      '{"constructor":{"prototype":{"toString":1}}}',
      '{"length":4294967296}',
      '[[{"toString":1}]]',
      '1e400',
      '-1e400',
      '1e-400',
      '-0',
      '9007199254740993',
      `${'9'.repeat(400)}`,
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '"\\u0000"',
      '"\\u202e\\u2028"',
    ),
    fc.integer({ min: 1, max: Math.floor(maxLength / 2) }).map((depth) => nested('[', '', ']', depth)),
    fc.integer({ min: 1, max: Math.floor(maxLength / 6) - 1 }).map((depth) => nested('{"a":', '1', '}', depth)),
    fc.constant(nested('[', '', ']', Math.floor(maxLength / 2))),
    fc.json(),
  )

/** A JSON object, as text, with these members. */
const hostileObject = (members: Record<string, fc.Arbitrary<string>>) =>
  fc.record(members).map((values) => {
    const entries = Object.entries(values).map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    return `{${entries.join(',')}}`
  })

/** Seals a text that need not be JSON. */
const sealText = (text: string, header: object) =>
  new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', ...header }).encrypt(KEY)

// CPU time, because the wall-clock time depends on what else the machine runs.
const MAX_CPU_US = 1_000_000

/** Sends a request and checks that it takes less than `MAX_CPU_US`. */
async function ask({ app }: TestServer, path: string, init: RequestInit): Promise<Response> {
  const before = process.cpuUsage()
  const response = await app.request(path, init)
  const { user, system } = process.cpuUsage(before)
  expect(user + system).toBeLessThan(MAX_CPU_US)
  return response
}

const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
  ask(testServer, path, { method: 'POST', body, headers })

describe('the encrypted API', () => {
  test('refuses 2,500 random bodies', async () => {
    const part = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Buffer.from(text).toString('base64url'))
    const jwes = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { minLength: 5, maxLength: 5 }).map((parts) => parts.join('.')),
      fc
        .tuple(fc.json(), fc.array(part, { minLength: 4, maxLength: 4 }))
        .map(([header, parts]) => [Buffer.from(header).toString('base64url'), ...parts].join('.')),
    )
    await fc.assert(
      fc.asyncProperty(jwes, async (body) => {
        expect((await post('/api/WeChat/GetBindInfo', body)).status).toBe(401)
      }),
      run(2_500),
    )
  })

  test('refuses 1,000 mutations of a sealed request', async () => {
    const now = Math.floor(testServer.time.clock() / 1000)
    const request = { Account: 'acme', User_ID: 'u1', Date: now, Action: 'Get' }
    const sealed = await sealEnvelope(request, { kid: 'k1', jti: 'fuzz' }, KEY)
    const before = writes
    await fc.assert(
      fc.asyncProperty(mutated(sealed), async (body) => {
        // White space around the JWE is allowed.
        fc.pre(body.toString().trim() !== sealed)
        expect((await post('/api/WeChat/GetBindInfo', new Uint8Array(body))).status).toBe(401)
      }),
      run(1_000),
    )
    expect(writes).toBe(before)
  })

  test('answers 500 sealed plaintexts of any shape without a 5xx', async () => {
    const now = Math.floor(testServer.time.clock() / 1000)
    const plaintexts = fc.oneof(
      fc.jsonValue(),
      fc.record({
        Account: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
        User_ID: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
        Date: fc.oneof(fc.constant(now), fc.integer(), fc.double(), fc.jsonValue()),
        Action: fc.oneof(fc.constant('Get'), fc.jsonValue()),
        Path: fc.oneof(fc.constant(undefined), fc.jsonValue()),
      }),
    )
    let jtis = 0
    await fc.assert(
      fc.asyncProperty(plaintexts, async (plaintext) => {
        const body = await sealEnvelope(plaintext ?? null, { kid: 'k1', jti: `fuzz-${++jtis}` }, KEY)
        expect((await post('/api/WeChat/GetBindInfo', body)).status).toBeLessThan(500)
      }),
      run(500),
    )
  })

  test('answers 600 sealed requests with one hostile field without a 5xx', async () => {
    const now = Math.floor(testServer.time.clock() / 1000)
    // The largest plaintext whose JWE has at most 16 KiB.
    const hostile = hostileJson(11_000)
    const usual: Record<string, string> = { Account: '"acme"', User_ID: '"u1"', Date: `${now}`, Action: '"Get"' }
    const field = fc.constantFrom('Account', 'User_ID', 'Date', 'Action', 'Path', 'Label', 'IsRefresh', '__proto__')
    const jtis = fc.oneof(fc.constant(undefined), fc.string({ unit: 'binary', maxLength: 130 }), fc.jsonValue())
    const calls = fc.constantFrom('GetQrCode', 'GetBindInfo', 'Disconnect')
    let requests = 0
    await fc.assert(
      fc.asyncProperty(calls, field, hostile, fc.option(jtis), async (call, name, value, jti) => {
        const entries = Object.entries({ ...usual, [name]: value }).map(([key, text]) => `"${key}":${text}`)
        const header = { kid: 'k1', jti: jti === null ? `hostile-${++requests}` : jti }
        const body = await sealText(`{${entries.join(',')}}`, header)
        expect((await post(`/api/WeChat/${call}`, body)).status).toBeLessThan(500)
      }),
      run(600),
    )
  })

  test.each([
    ['an object without toString', '{"toString":1}'],
    ['a deeply nested array', nested('[', '', ']', 5_500)],
    ['a number beyond every float', '1e400'],
  ])('refuses %s as User_ID with BAD_REQUEST', async (_, userId) => {
    const now = Math.floor(testServer.time.clock() / 1000)
    const body = await sealText(`{"Account":"acme","User_ID":${userId},"Date":${now},"Action":"Get"}`, {
      kid: 'k1',
      jti: `case-${userId.length}`,
    })
    expect((await post('/api/WeChat/GetBindInfo', body)).status).toBe(400)
  })
})

describe('the browser API', () => {
  test('refuses 500 mutations of a widget token, and 500 tokens of any content', async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const statusOf = async (jwe: string) =>
      (await ask(testServer, '/widget/binding', { headers: { Authorization: `Bearer ${jwe}` } })).status
    await fc.assert(
      fc.asyncProperty(mutated(token), async (bytes) => {
        const jwe = bytes.toString('latin1').replace(/[^\x21-\x7e]/g, '~')
        fc.pre(jwe !== token)
        expect(await statusOf(jwe)).toBe(401)
      }),
      run(500),
    )
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (claims) => {
        expect(await statusOf(await sealEnvelope(claims ?? null, { kid: 'k1', typ: TOKEN_TYPE }, KEY))).toBe(401)
      }),
      run(500),
    )
  })

  test('answers 300 tokens with one hostile claim, and 300 hostile bodies, without a 5xx', async () => {
    const now = Math.floor(testServer.time.clock() / 1000)
    const usual: Record<string, string> = { Account: '"acme"', User_ID: '"u1"', iat: `${now}`, exp: `${now + 60}` }
    const claim = fc.constantFrom('Account', 'User_ID', 'iat', 'exp', 'Label', 'scope', '__proto__')
    await fc.assert(
      fc.asyncProperty(claim, hostileJson(5_000), async (name, value) => {
        const entries = Object.entries({ ...usual, [name]: value }).map(([key, text]) => `"${key}":${text}`)
        const jwe = await sealText(`{${entries.join(',')}}`, { kid: 'k1', typ: TOKEN_TYPE })
        const { status } = await ask(testServer, '/widget/binding', { headers: { Authorization: `Bearer ${jwe}` } })
        expect([200, 401]).toContain(status)
      }),
      run(300),
    )
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const member = hostileJson(1_900)
    const bodies = fc.oneof(hostileJson(3_900), hostileObject({ code: member, refresh: member }))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('confirm', 'qrcode'), bodies, async (route, body) => {
        const { status } = await post(`/widget/${route}`, body, { Authorization: `Bearer ${token}` })
        expect(status).toBeLessThan(500)
      }),
      run(300),
    )
  })

  test('answers 300 bodies and headers of any content without a 5xx', async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1' })
    const header = fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, ''))
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), header, header, async (body, etag, prefer) => {
        const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': etag, Prefer: prefer }
        fc.pre(!/wait/i.test(prefer))
        const polled = await ask(testServer, '/widget/binding', { headers })
        const confirmed = await post('/widget/confirm', body, { Authorization: `Bearer ${token}` })
        expect(Math.max(polled.status, confirmed.status)).toBeLessThan(500)
      }),
      run(300),
    )
  })
})

describe('the callback', () => {
  test('refuses 1,000 mutations of a sealed delivery', async () => {
    const { account } = testServer.simulator
    const now = testServer.time.clock()
    const fields = { ToUserName: account.originalId, FromUserName: 'oAmy', CreateTime: now / 1000, MsgType: 'event' }
    const scan = { ...fields, Event: 'SCAN', EventKey: 'wb1_AAAAAAAAAAAAAAAAAAAAAA' }
    const { query, body } = sealMessage(account, scan, now, (size) => Buffer.alloc(size, 7))
    const path = `/wechat/callback?${new URLSearchParams(query)}`
    const before = writes
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(mutated(body), async (bytes) => {
        const { status } = await post(path, new Uint8Array(bytes))
        if (status === 200) accepted++
        // A change outside <Encrypt> may have no effect; every other change is refused.
        if (status !== 403) expect(bytes.toString()).toContain(body.match(/<Encrypt>.*<\/Encrypt>/s)?.[0])
        expect([200, 403]).toContain(status)
      }),
      run(1_000),
    )
    expect(writes - before).toBeLessThanOrEqual(accepted)
    expect(accepted).toBeLessThan(100)
  })

  test('keeps no memory for 4,000 refused deliveries', async () => {
    const refused = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const body = `<xml><Encrypt><![CDATA[${'A'.repeat(20_000)}${i}]]></Encrypt></xml>`
        expect((await post(`/wechat/callback?msg_signature=${i}&timestamp=1&nonce=${i}`, body)).status).toBe(403)
      }
    }
    await refused(500)
    const before = await heldBytes()
    await refused(4_000)
    // A leak of 1 kB for each delivery would add up to 4 MB, and a leak of the bodies to 80 MB.
    expect((await heldBytes()) - before).toBeLessThan(4_000_000)
  })

  test('answers 500 authentic messages of any content without a 5xx', async () => {
    const { account } = testServer.simulator
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer().map(String))
    const messages = fc.record({
      MsgType: fc.oneof(fc.constantFrom('event', 'text', 'image'), value),
      Event: fc.oneof(fc.constantFrom('SCAN', 'subscribe', 'unsubscribe', 'CLICK'), value),
      EventKey: fc.oneof(fc.constantFrom('', 'wb1_x', 'qrscene_wb1_x', 'qrscene_'), value),
      Content: fc.oneof(fc.constantFrom('解绑', '绑定 ABCDEFGH'), value),
      FromUserName: value,
      CreateTime: fc.oneof(fc.integer().map(String), value),
    })
    await fc.assert(
      fc.asyncProperty(messages, async (message) => {
        const fields = { ToUserName: account.originalId, ...message } as never
        const { query, body } = sealMessage(account, fields, testServer.time.clock(), (size) => Buffer.alloc(size, 7))
        const { status } = await post(`/wechat/callback?${new URLSearchParams(query)}`, body)
        // A control character makes the XML of the simulator invalid: 403.
        expect([200, 403]).toContain(status)
      }),
      run(500),
    )
  })
})

describe('the callback in plain mode, whose body is not signed', () => {
  let plain: TestServer
  beforeAll(async () => {
    plain = await openTestServer({ WECHAT_MODE: 'plain' })
  })
  afterAll(() => plain.close())

  const now = () => plain.time.clock()
  const scan = () => ({
    ToUserName: plain.simulator.account.originalId,
    FromUserName: 'oAmy',
    CreateTime: now() / 1000,
    MsgType: 'event',
    Event: 'SCAN',
    EventKey: 'wb1_AAAAAAAAAAAAAAAAAAAAAA',
  })
  let nonces = 0
  async function statusOf(body: BodyInit): Promise<number> {
    const nonce = (size: number) =>
      Buffer.alloc(size, 0)
        .fill(++nonces % 251, 0, 2)
        .fill((nonces / 251) | 0, 2)
    const { query } = sealMessage(plain.simulator.account, scan(), now(), nonce)
    return (await ask(plain, `/wechat/callback?${new URLSearchParams(query)}`, { method: 'POST', body })).status
  }

  test('answers 1,000 random documents and mutations of a valid one without a 5xx', async () => {
    const { body } = sealMessage(plain.simulator.account, scan(), now(), (size) => Buffer.alloc(size, 7))
    const text = fc.string({ unit: 'binary', maxLength: 100 })
    const documents = fc.oneof(
      text,
      fc.json(),
      text.map((inner) => `<xml>${inner}</xml>`),
      fc.tuple(text, text).map(([name, inner]) => `<xml><${name}>${inner}</${name}></xml>`),
      mutated(body).map((bytes) => bytes.toString('latin1')),
    )
    await fc.assert(
      fc.asyncProperty(documents, async (document) => {
        expect([200, 403]).toContain(await statusOf(document))
      }),
      run(1_000),
    )
  })

  test('answers 500 JSON messages with hostile fields without a 5xx', async () => {
    const { account } = plain.simulator
    const hostile = hostileJson(20_000)
    const text = (...values: string[]) =>
      fc.oneof(fc.constantFrom(...values.map((value) => JSON.stringify(value))), hostile)
    const messages = hostileObject({
      ToUserName: text(account.originalId),
      FromUserName: text('oAmy'),
      CreateTime: fc.oneof(fc.constant(`${now() / 1000}`), hostile),
      MsgType: text('event', 'text'),
      Event: text('SCAN', 'subscribe', 'unsubscribe'),
      EventKey: text('wb1_x', 'qrscene_wb1_x', ''),
      Content: text('解绑', '绑定 ABCDEFGH'),
      MsgId: fc.oneof(fc.bigInt({ min: 0n }).map(String), hostile),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          messages,
          hostile.map((value) => `{"a":${value}}`),
        ),
        async (message) => {
          expect([200, 403]).toContain(await statusOf(message))
        },
      ),
      run(500),
    )
    expect(plain.log.lines.filter((line) => line.includes('INTERNAL'))).toEqual([])
  })

  const KIB_60 = 60_000
  test.each([
    ['nested elements', `<xml>${'<a>'.repeat(KIB_60 / 3)}`],
    ['sibling elements', `<xml>${'<a/>'.repeat(KIB_60 / 4)}</xml>`],
    ['unclosed CDATA', `<xml>${'<![CDATA['.repeat(KIB_60 / 9)}`],
    ['repeated CDATA ends', `<xml><![CDATA[${']]'.repeat(KIB_60 / 2)}</xml>`],
    ['only opening brackets', '<'.repeat(KIB_60)],
    ['attributes', `<xml ${'a="1" '.repeat(KIB_60 / 6)}></xml>`],
    ['nested entities', '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><a>&b;</a></xml>'],
    ['an external entity', '<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>'],
    ['entity references', `<xml><a>${'&amp;'.repeat(KIB_60 / 5)}</a></xml>`],
    ['nested arrays', '['.repeat(KIB_60)],
    ['nested objects', '{"a":'.repeat(KIB_60 / 5)],
    ['nested arrays, closed', `{"a":${nested('[', '', ']', KIB_60 / 2 - 10)}}`],
    ['nested objects, closed', nested('{"a":', '1', '}', KIB_60 / 6 - 1)],
    ['lone surrogates', '{"FromUserName":"\\ud800","CreateTime":1,"MsgType":"event","Event":"unsubscribe"}'],
    ['__proto__ in JSON', '{"__proto__":{"MsgType":"event"},"constructor":"x","MsgType":"event","Event":"SCAN"}'],
    ['__proto__ in XML', '<xml><__proto__>x</__proto__><constructor>y</constructor></xml>'],
    ['NUL characters', '\0'.repeat(KIB_60)],
    ['UTF-16', Buffer.from('<xml><a>b</a></xml>', 'utf16le')],
  ])('answers %s within the CPU limit', async (_, body) => {
    expect([200, 403]).toContain(await statusOf(body))
    expect(({} as Record<string, unknown>).MsgType).toBeUndefined()
  })
})
