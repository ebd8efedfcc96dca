import { describe, expect, test } from 'vitest'
import { createRateLimit } from '../../../server/binding/rate-limit.ts'
import { createFakeTime } from '../../support/fake-time.ts'
import { openTestServer } from '../../support/test-server.ts'

function setUp(most: number) {
  const time = createFakeTime()
  const isAllowed = createRateLimit(most, time.clock)
  const askTimes = (times: number, key = 'one') => Array.from({ length: times }, () => isAllowed(key))
  return { time, askTimes }
}

describe('createRateLimit', () => {
  test('allows the configured number of calls in a minute and refuses further ones', () => {
    const { askTimes } = setUp(2)
    expect(askTimes(4)).toEqual([true, true, false, false])
  })

  test('allows calls again 60 s after the first call of the minute, and not 1 ms earlier', () => {
    const { time, askTimes } = setUp(1)
    expect(askTimes(1)).toEqual([true])
    time.advance(59_999)
    expect(askTimes(1)).toEqual([false])
    time.advance(1)
    expect(askTimes(2)).toEqual([true, false])
  })

  test('starts a minute with the first call after the previous minute, however long the pause was', () => {
    const { time, askTimes } = setUp(1)
    askTimes(1)
    time.advance(90_000)
    expect(askTimes(1)).toEqual([true])
    time.advance(59_999)
    expect(askTimes(1)).toEqual([false])
  })

  test('counts each key on its own', () => {
    const { askTimes } = setUp(1)
    expect([askTimes(2, 'one'), askTimes(2, 'other')]).toEqual([
      [true, false],
      [true, false],
    ])
  })

  test('allows nothing when the number is 0', () => {
    expect(setUp(0).askTimes(2)).toEqual([false, false])
  })
})

describe('the limit of new QR codes for a tenant', () => {
  test('refuses the users of one tenant together, leaves another tenant alone, and ends after a minute', async () => {
    const testServer = await openTestServer({ QR_PER_MINUTE_TENANT: '2' })
    const { client, otherTenant, time } = testServer
    const askFor = (userId: string, from = client) => from.getQrCode({ account: 'acme', userId })
    await askFor('u1')
    await askFor('u2')
    await expect(askFor('u3')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    expect((await askFor('u3', otherTenant)).Url).toMatch(/^http/)
    time.advance(60_000)
    expect((await askFor('u3')).Url).toMatch(/^http/)
    await testServer.close()
  })
})
