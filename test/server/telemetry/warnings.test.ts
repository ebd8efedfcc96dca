/** Mistakes of the set-up cause a warning with the fix, at most once a minute. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { createWarnings } from '../../../server/telemetry/warnings.ts'
import { createTestLog, openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
afterEach(() => testServer?.close())

const open = async (env: Env) => {
  testServer = await openTestServer(env)
}

const linesWith = (text: string) => testServer.log.lines.filter((line) => line.includes(text))

describe('createWarnings', () => {
  test('logs each kind once a minute', () => {
    let now = 0
    const log = createTestLog()
    const warn = createWarnings(log, () => now)
    expect([warn('forward', {}), warn('forward', {}), warn('origin', {})]).toEqual([true, false, true])
    now = 59_999
    expect(warn('forward', {})).toBe(false)
    now = 60_000
    expect(warn('forward', {})).toBe(true)
    expect(log.lines).toHaveLength(3)
  })
})

describe('a ciphertext for WECHAT_MODE=plain', () => {
  test('is refused instead of lost, and causes a warning with the fix once a minute', async () => {
    await open({ WECHAT_MODE: 'plain' })
    for (const _ of [1, 2]) expect((await testServer.deliver(undefined, 'secure')).status).toBe(403)
    expect(linesWith('"cause":"ciphertext"')).toHaveLength(2)
    expect(linesWith('Remove WECHAT_MODE')).toHaveLength(1)
    testServer.time.advance(60_000)
    await testServer.deliver(undefined, 'secure')
    expect(linesWith('Remove WECHAT_MODE')).toHaveLength(2)
  })

  test('is accepted in 兼容模式, in which the plain fields are sent beside the ciphertext', async () => {
    await open({ WECHAT_MODE: 'plain' })
    expect((await testServer.deliver(undefined, 'compatible')).status).toBe(200)
  })
})

describe('a plaintext for WECHAT_MODE=secure', () => {
  test('is refused, and causes a warning with the fix once a minute', async () => {
    await open({})
    for (const _ of [1, 2]) expect((await testServer.deliver(undefined, 'plain')).status).toBe(403)
    expect(linesWith('"cause":"plaintext"')).toHaveLength(2)
    expect(linesWith('Select 安全模式')).toHaveLength(1)
  })
})

describe('an origin that is not allowed', () => {
  const ask = (origin: string) =>
    testServer.app.request('/widget/binding', { method: 'OPTIONS', headers: { Origin: origin } })

  test('is logged once a minute, with the setting that allows it', async () => {
    await open({ ALLOWED_ORIGINS: 'https://good.example' })
    for (const origin of ['https://good.example', 'https://other.example', 'https://third.example']) await ask(origin)
    expect(linesWith('ALLOWED_ORIGINS')).toEqual([expect.stringContaining('"origin":"https://other.example"')])
  })

  test.each(['null', 'https://a.example/path?token=1', `https://${'a'.repeat(300)}.example`])(
    'is quoted only if it is an origin: %s',
    async (origin) => {
      await open({})
      await ask(origin)
      expect(linesWith('ALLOWED_ORIGINS')).toEqual([expect.stringContaining('"origin":"not an origin"')])
    },
  )
})
