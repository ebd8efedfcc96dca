/** Runs each client of server/clients as a process against the real server on a socket. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { openEnvelope, sealEnvelope } from '../../../server/keys/envelope.ts'
import { openToken } from '../../../server/keys/widget-token.ts'
import { titleWith } from '../../support/missing-tool.ts'
import { OTHER_SECRET, openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'
import vector from '../../vectors/envelope.json' with { type: 'json' }
import { type CommandResult, run, tools } from './tools.ts'

type Listening = Awaited<ReturnType<typeof startListening>>

const KEY = new Uint8Array(Buffer.from(SECRET, 'base64url'))
const findKey = () => ({ secret: KEY })

// Contains characters that JSON or a shell escapes, and characters of several bytes in UTF-8.
const account = '客户 "A" $HOME'
const userId = "用户\\1 'é' 😀"

const refusal = (text: string): CommandResult => ({ code: 1, stdout: '', stderr: `${text}\n` })
const NOT_OPENED = refusal('UNAUTHORIZED: The JWE cannot be decrypted with this key.')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-clients-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let testServer: TestServer
let bind: Listening
beforeEach(async () => {
  testServer = await openTestServer()
  bind = await startListening(testServer.app, '127.0.0.1', 0)
})
afterEach(async () => {
  await stopListening(bind.server)
  await testServer.close()
})

for (const tool of tools) {
  describe.skipIf(!tool.isInstalled)(titleWith(tool.needs, tool.isInstalled, tool.file), () => {
    let command: string[]
    beforeAll(async () => {
      command = await tool.build(folder)
    })

    const client = (args: string[], env: Record<string, string> = {}) =>
      run([...command, ...args], { SERVER: bind.url, KEY_ID: 'k1', KEY: SECRET, ...env })

    const open = (envelope: string) => client(['open', envelope], { KEY: vector.key.base64url })

    /** The Data of a call that succeeds. */
    async function call(name: string): Promise<Record<string, unknown>> {
      const { code, stdout, stderr } = await client([name, account, userId])
      expect([code, stderr]).toEqual([0, ''])
      return JSON.parse(stdout)
    }

    test('gets a QR, reads the binding after the scan, and disconnects once', async () => {
      expect(await call('GetBindInfo')).toMatchObject({ IsBound: false, OpenId: null, Version: 0 })
      const { Url, ExpireSeconds } = await call('GetQrCode')
      expect(ExpireSeconds).toBe(120)
      await testServer.phone('amy').scan(String(Url))
      await testServer.phone('amy').follow()
      const bound = await call('GetBindInfo')
      expect(bound).toMatchObject({ IsBound: true, OpenId: testServer.phone('amy').openid, Version: 1 })
      expect(bound).toEqual(await testServer.client.getBindInfo({ account, userId }))
      const page = async (cursor: string) => JSON.parse((await client(['ListBindings', account, cursor])).stdout)
      const listed = { Account: account, User_ID: userId, ...bound, Label: null }
      expect(await page('')).toEqual({ Items: [listed], NextCursor: null })
      expect(await client(['ListBindings', account, 'x'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^BAD_REQUEST/),
      })
      expect(await call('Disconnect')).toEqual({ Version: 2 })
      expect(await client(['Disconnect', account, userId])).toEqual(
        refusal('NOT_BOUND: There is nothing to disconnect: this user has no WeChat bound.'),
      )
    })

    test('mints a token that the browser API accepts', async () => {
      const { stdout } = await client(['token', account, userId])
      const token = stdout.trim()
      expect(await openToken(token, findKey, Date.now())).toMatchObject({ Account: account, User_ID: userId })
      const response = await fetch(`${bind.url}/widget/binding`, { headers: { Authorization: `Bearer ${token}` } })
      expect([response.status, await response.json()]).toEqual([200, { state: 'unbound', version: 0 }])
    })

    test.each(['request', 'reply', 'token'] as const)('opens the %s of the worked example', async (name) => {
      const { header, plaintext, compact } = vector[name]
      expect(await open(compact)).toEqual({ code: 0, stdout: `${header}\n${plaintext}\n`, stderr: '' })
    })

    const [header = '', , iv = '', ciphertext = '', tag = ''] = vector.reply.compact.split('.')
    test.each([
      ['another header', [vector.request.headerBase64url, '', iv, ciphertext, tag]],
      ['another iv', [header, '', vector.request.iv.base64url, ciphertext, tag]],
      ['another ciphertext', [header, '', iv, `A${ciphertext.slice(1)}`, tag]],
      ['another tag', [header, '', iv, ciphertext, vector.request.tag.base64url]],
      ['a truncated tag', [header, '', iv, ciphertext, tag.slice(0, 11)]],
      ['four parts', [header, '', iv, ciphertext + tag]],
    ])('refuses an envelope with %s', async (_, parts) => {
      expect(await open(parts.join('.'))).toEqual(NOT_OPENED)
    })

    test('refuses a reply to another request', async () => {
      const impostor = new Hono().post('*', async (c) => {
        await openEnvelope(await c.req.text(), undefined, findKey)
        const granted = { Success: true, Code: 'OK', Message: '', Data: { IsBound: true } }
        const reply = await sealEnvelope(granted, { kid: 'k1', jti: 'b', req: 'a' }, KEY)
        return c.body(reply, 200, { 'Content-Type': 'application/jose' })
      })
      const { server, url } = await startListening(impostor, '127.0.0.1', 0)
      const ended = await client(['GetBindInfo', account, userId], { SERVER: url })
      await stopListening(server)
      expect(ended).toEqual(refusal('UNAUTHORIZED: The reply belongs to another request.'))
    })

    test('reports a wrong key, and a server that does not answer', async () => {
      const wrong = await client(['GetBindInfo', account, userId], { KEY: OTHER_SECRET })
      expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/^UNAUTHORIZED: .+\n$/)])
      const short = await client(['GetBindInfo', account, userId], { KEY: SECRET.slice(1) })
      expect(short).toEqual(refusal('BAD_CONFIG: KEY must be 32 bytes in base64url, 43 characters.'))
      const { server, url } = await startListening(new Hono(), '127.0.0.1', 0)
      const none = await client(['GetBindInfo', account, userId], { SERVER: url })
      await stopListening(server)
      expect(none).toEqual(refusal('UNREACHABLE: HTTP 404: the answer is not a JWE.'))
      const silent = await client(['GetBindInfo', account, userId], { SERVER: url })
      expect(silent).toEqual(refusal(`UNREACHABLE: ${url} did not answer.`))
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
      const ended = await client(['GetBindInfo', account, userId], { SERVER: url })
      await Promise.all([stopListening(server), stopListening(other.server)])
      expect(ended).toEqual(refusal('UNREACHABLE: HTTP 307: the answer is not a JWE.'))
      expect(received).toEqual([])
    })

    test('prints its usage when an argument is missing', async () => {
      const { code, stderr } = await client(['GetBindInfo', account])
      expect(code).toBe(2)
      for (const word of ['GetQrCode', 'GetBindInfo', 'Disconnect', 'ListBindings', 'token', 'open'])
        expect(stderr).toContain(word)
    })
  })
}

describe('server/clients', () => {
  test('contains only the clients of this test, Client.cs, and the entry of wechat-bind/client for Node', () => {
    const files = readdirSync(join(import.meta.dirname, '../../../server/clients'))
    const known = [...tools.map(({ file }) => file), 'Client.cs', 'node.ts']
    expect(files.sort()).toEqual(known.sort())
  })
})
