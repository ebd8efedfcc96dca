import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import type { BindError } from '../../../server/errors.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
const open = async (env: Env = {}) => {
  await testServer?.close()
  testServer = await openTestServer(env)
}
beforeEach(() => open())
afterEach(() => testServer.close())

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const callsToWechat = () =>
  testServer.simulator.wire.since(0).filter(({ url }) => url.includes('/cgi-bin/qrcode/create')).length

/** Asks for a new QR code: `OK`, or the code of the refusal with its Retry-After. */
async function ask(user = 'u1', client = testServer.client): Promise<string> {
  try {
    await client.getQrCode({ account: 'acme', userId: user, isRefresh: true })
    return 'OK'
  } catch (error) {
    const { code, retryAfterSeconds } = error as BindError
    return retryAfterSeconds === undefined ? code : `${code} ${retryAfterSeconds}`
  }
}

/** Asks `times` times, `everyMs` apart, and returns the answers that differ from the previous answer. */
async function askTimes(times: number, { user = 'u1', everyMs = 0 } = {}): Promise<string[]> {
  const answers: string[] = []
  for (let i = 0; i < times; i++) {
    answers.push(await ask(user))
    testServer.time.advance(everyMs)
  }
  return answers.filter((answer, i) => answer !== answers[i - 1])
}

describe('new QR codes of a user', () => {
  test('are limited per minute, hour and day, each counted from the first one', async () => {
    await open({ QR_PER_MINUTE: '2', QR_PER_HOUR: '4', QR_PER_DAY: '5' })
    expect(await askTimes(3)).toEqual(['OK', 'RATE_LIMITED 60'])
    testServer.time.advance(MINUTE)
    expect(await askTimes(3)).toEqual(['OK', 'RATE_LIMITED 3540'])
    testServer.time.advance(HOUR - MINUTE)
    expect(await askTimes(2)).toEqual(['OK', `RATE_LIMITED ${(DAY - HOUR) / 1000}`])
    testServer.time.advance(DAY - HOUR)
    expect(await ask()).toBe('OK')
  })

  test('have the limits 10, 60 and 200 by default', async () => {
    const everyMs = 6_000
    expect(await askTimes(61, { everyMs })).toEqual(['OK', `RATE_LIMITED ${(HOUR - 60 * everyMs) / 1000}`])
    testServer.time.advance(HOUR)
    await askTimes(60, { everyMs })
    testServer.time.advance(HOUR)
    await askTimes(60, { everyMs })
    testServer.time.advance(HOUR)
    expect(await askTimes(21, { everyMs })).toEqual(['OK', expect.stringMatching(/^RATE_LIMITED \d{5}$/)])
    expect(callsToWechat()).toBe(200)
  })

  test('are allowed again exactly after Retry-After', async () => {
    await open({ QR_PER_MINUTE: '1' })
    await ask()
    testServer.time.advance(17_300)
    expect(await ask()).toBe('RATE_LIMITED 43')
    testServer.time.advance(42_699)
    expect(await ask()).toBe('RATE_LIMITED 1')
    testServer.time.advance(1)
    expect(await ask()).toBe('OK')
  })

  test('wait for the longest of the limits that are reached', async () => {
    await open({ QR_PER_MINUTE: '1', QR_PER_HOUR: '1' })
    await ask()
    expect(await ask()).toBe('RATE_LIMITED 3600')
  })

  test('count even if WeChat refuses them, and WeChat is not called beyond the limit', async () => {
    testServer.simulator.faults.fail('/cgi-bin/qrcode/create', 45009, 1000)
    expect(await askTimes(30)).toEqual(['WECHAT_QUOTA', 'RATE_LIMITED 60'])
    expect(callsToWechat()).toBe(10)
  })

  test('are not counted when the limit refuses them or the current QR code is shown again', async () => {
    await open({ QR_PER_MINUTE: '1', QR_PER_HOUR: '2' })
    await askTimes(5)
    for (let i = 0; i < 5; i++) await testServer.client.getQrCode({ account: 'acme', userId: 'u1' })
    testServer.time.advance(MINUTE)
    expect(await ask()).toBe('OK')
  })

  test('are limited for each user separately', async () => {
    await open({ QR_PER_MINUTE: '1' })
    await askTimes(2)
    expect([await ask('u2'), await ask('u1', testServer.otherTenant)]).toEqual(['OK', 'OK'])
  })

  test('are counted without storing the ids of the user again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    const file = join(folder, 'limits.db')
    await open({ DATABASE_URL: `sqlite:${file}` })
    await ask('a-user-id')
    const scopes = new DatabaseSync(file).prepare('select scope from rate_windows order by scope').all()
    expect(scopes.map(({ scope }) => scope)).toEqual([
      'qr/day/tenant/default',
      'qr/day/user/1',
      'qr/hour/user/1',
      'qr/minute/tenant/default',
      'qr/minute/user/1',
    ])
    await open()
    rmSync(folder, { recursive: true })
  })
})

describe('new QR codes of a tenant', () => {
  test('are limited for its users together, and no other tenant is affected', async () => {
    await open({ QR_PER_MINUTE_TENANT: '2', QR_PER_DAY_TENANT: '3' })
    const ofUsers = async (...users: string[]) => {
      const answers: string[] = []
      for (const user of users) answers.push(await ask(user))
      return answers
    }
    expect(await ofUsers('a', 'b', 'c')).toEqual(['OK', 'OK', 'RATE_LIMITED 60'])
    expect(await ask('c', testServer.otherTenant)).toBe('OK')
    testServer.time.advance(MINUTE)
    expect(await ofUsers('c', 'd')).toEqual(['OK', 'RATE_LIMITED 86340'])
    testServer.time.advance(DAY - MINUTE)
    expect(await ask('d')).toBe('OK')
  })

  test('that are refused do not count for the user, and the error names the limit of the user first', async () => {
    await open({ QR_PER_MINUTE: '2', QR_PER_MINUTE_TENANT: '3' })
    const messageFor = (user: string) =>
      testServer.client.getQrCode({ account: 'acme', userId: user, isRefresh: true }).catch(({ message }) => message)
    await askTimes(2, { user: 'a' })
    await askTimes(5, { user: 'b' })
    expect(await messageFor('a')).toContain('2 new QR codes per user and minute')
    expect(await messageFor('b')).toContain('The tenant')
    testServer.time.advance(MINUTE)
    expect(await askTimes(2, { user: 'b' })).toEqual(['OK'])
  })

  test('are requested from WeChat only as often as the limit allows, even if attempts arrive together', async () => {
    await open({ QR_PER_DAY_TENANT: '7' })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`u${i}`)))
    expect(answers.filter((answer) => answer === 'OK')).toHaveLength(7)
    expect(callsToWechat()).toBe(7)
  })
})

describe('while WeChat refuses', () => {
  const fail = (times: number) => testServer.simulator.faults.fail('/cgi-bin/qrcode/create', 45009, times)

  test('the server makes one call in 5 s after ten refusals in a row, until the first success', async () => {
    fail(12)
    const users = Array.from({ length: 30 }, (_, i) => `u${i}`)
    for (const user of users) expect(await ask(user)).toBe('WECHAT_QUOTA')
    expect(callsToWechat()).toBe(10)
    for (let i = 0; i < 2; i++) {
      testServer.time.advance(5_000)
      expect([await ask('probe'), await ask('other')]).toEqual(['WECHAT_QUOTA', 'WECHAT_QUOTA'])
    }
    expect(callsToWechat()).toBe(12)
    testServer.time.advance(5_000)
    expect([await ask('probe'), await ask('other')]).toEqual(['OK', 'OK'])
  })

  test('a user keeps a QR code that is still valid', async () => {
    const { Url } = await testServer.client.getQrCode({ account: 'acme', userId: 'u1' })
    testServer.time.advance(110_000)
    fail(100)
    for (let i = 0; i < 12; i++) await ask(`other${i}`)
    expect((await testServer.client.getQrCode({ account: 'acme', userId: 'u1' })).Url).toBe(Url)
  })
})

describe('wrong digits', () => {
  const digitsOf = (person: string) => /\d{4}/.exec(testServer.phone(person).chat.at(-1)?.content ?? '')?.[0] ?? ''
  const wrong = (digits: string) => String((Number(digits) + 1) % 10_000).padStart(4, '0')

  async function confirm(code: string): Promise<string> {
    const response = await testServer.widget('POST', '/confirm', { body: { code } })
    const { code: refusal, triesLeft, state } = (await response.json()) as Record<string, unknown>
    const retryAfter = response.headers.get('retry-after')
    return [refusal ?? state, triesLeft ?? retryAfter].filter((each) => each != null).join(' ')
  }

  async function scan(person = 'amy', refresh = false): Promise<string> {
    const response = await testServer.widget('POST', '/qrcode', { body: { refresh } })
    const { url } = (await response.json()) as { url: string }
    if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
    return digitsOf(person)
  }

  beforeEach(() => open({ CONFIRM: 'code', QR_PER_MINUTE: '100' }))

  const endings: [string, () => Promise<unknown>][] = [
    ['a refresh', () => testServer.widget('POST', '/qrcode', { body: { refresh: true } })],
    ['DELETE', () => testServer.widget('DELETE', '/binding')],
    ['Disconnect', () => testServer.client.disconnect({ account: 'acme', userId: 'u1' }).catch(() => {})],
    ['the end of the time to confirm', async () => testServer.time.advance(120_000)],
  ]

  test.each(endings)('are limited to 9 in an hour, even if %s closes each ticket first', async (_, end) => {
    const answers: string[] = []
    for (let i = 0; i < 5; i++) {
      const digits = await scan()
      answers.push(await confirm(wrong(digits)), await confirm(wrong(digits)))
      if (i < 4) await end()
    }
    expect(answers.slice(0, 9)).toEqual(Array.from({ length: 9 }, (_, i) => `WRONG_CODE ${i % 2 ? 1 : 2}`))
    expect(answers[9]).toMatch(/^RATE_LIMITED \d+$/)
  })

  test('are followed by RATE_LIMITED even for the right digits, which bind after the time of Retry-After', async () => {
    for (let i = 0; i < 4; i++) {
      const digits = await scan('amy', true)
      await confirm(wrong(digits))
      await confirm(wrong(digits))
    }
    testServer.time.advance(HOUR - 30_000)
    const digits = await scan('amy', true)
    expect(await confirm(wrong(digits))).toBe('WRONG_CODE 2')
    expect(await confirm(digits)).toBe('RATE_LIMITED 30')
    testServer.time.advance(29_999)
    expect(await confirm(digits)).toBe('RATE_LIMITED 1')
    testServer.time.advance(1)
    expect(await confirm(digits)).toBe('bound')
  })

  test('also stop new QR codes of the user, and affect no other user', async () => {
    for (let i = 0; i < 9; i++) await confirm(wrong(await scan('amy', i % 3 === 0)))
    expect(await ask()).toBe('RATE_LIMITED 3600')
    expect(await ask('u2')).toBe('OK')
  })

  test('are not counted without a scan', async () => {
    for (let i = 0; i < 20; i++) expect(await confirm('0000')).toBe('NOT_SCANNED')
    expect(await confirm(await scan())).toBe('bound')
  })
})
