import { describe, expect, test } from 'vitest'
import { createFixture } from './simulator-fixture.ts'

const MINUTE_MS = 60_000

/** Returns the errcode of a call with this token, and undefined for a valid token. */
async function errcodeOf(fixture: ReturnType<typeof createFixture>, token: string): Promise<number | undefined> {
  return (await fixture.get(`getcallbackip?access_token=${encodeURIComponent(token)}`)).errcode
}

describe('POST /cgi-bin/stable_token', () => {
  test('returns the same token to all callers, with its remaining lifetime', async () => {
    const fixture = createFixture()
    const first = await fixture.stableToken()
    await fixture.time.advance(100 * MINUTE_MS)
    expect(first.expires_in).toBe(7200)
    expect(await fixture.stableToken()).toEqual({ access_token: first.access_token, expires_in: 1200 })
  })

  test('returns a new token in the last 5 minutes, and the old token stays valid for 5 minutes', async () => {
    const fixture = createFixture()
    const { access_token: old } = await fixture.stableToken()
    await fixture.time.advance(118 * MINUTE_MS)
    const renewed = await fixture.stableToken()
    expect(renewed.access_token).not.toBe(old)
    expect(renewed.expires_in).toBe(7200)
    await fixture.time.advance(5 * MINUTE_MS - 1)
    expect(await errcodeOf(fixture, old)).toBeUndefined()
    await fixture.time.advance(1)
    expect(await errcodeOf(fixture, old)).toBe(42001)
  })

  test('with force_refresh, invalidates the old token at once', async () => {
    const fixture = createFixture()
    const { access_token: old } = await fixture.stableToken()
    const forced = await fixture.stableToken({ force_refresh: true })
    expect(forced.access_token).not.toBe(old)
    expect(await errcodeOf(fixture, old)).toBe(40001)
  })

  test('ignores a second force_refresh within 30 s', async () => {
    const fixture = createFixture()
    const forced = await fixture.stableToken({ force_refresh: true })
    await fixture.time.advance(29_999)
    expect((await fixture.stableToken({ force_refresh: true })).access_token).toBe(forced.access_token)
    await fixture.time.advance(1)
    expect((await fixture.stableToken({ force_refresh: true })).access_token).not.toBe(forced.access_token)
  })

  test('rejects the 21st forced refresh of a day', async () => {
    const fixture = createFixture()
    for (let time = 0; time < 20; time += 1) {
      expect((await fixture.stableToken({ force_refresh: true })).errcode).toBeUndefined()
      await fixture.time.advance(30_000)
    }
    expect((await fixture.stableToken({ force_refresh: true })).errcode).toBe(45009)
  })

  test.each([
    [{ grant_type: 'password' }, 40002],
    [{ appid: undefined }, 41002],
    [{ appid: 'wx0' }, 40013],
    [{ secret: undefined }, 41004],
    [{ secret: 'wrong' }, 40125],
  ])('answers the credentials %o with errcode %i', async (wrong, errcode) => {
    const answer = await createFixture().stableToken(wrong)
    expect(answer.errcode).toBe(errcode)
    expect(answer.errmsg).toMatch(/ rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
  })

  test.each([
    ['', 44002],
    ['{"grant_type"', 47001],
    ['[]', 47001],
  ])('answers the body %o with errcode %i', async (body, errcode) => {
    expect((await createFixture().post('stable_token', body)).errcode).toBe(errcode)
  })

  test('answers a GET request with errcode 43002', async () => {
    expect((await createFixture().get('stable_token')).errcode).toBe(43002)
  })
})

describe('GET /cgi-bin/token', () => {
  test('returns a new token each time, and the previous token stays valid for 5 minutes', async () => {
    const fixture = createFixture()
    const { access_token: old } = await fixture.classicToken()
    const { access_token: next } = await fixture.classicToken()
    await fixture.time.advance(5 * MINUTE_MS - 1)
    expect(await errcodeOf(fixture, old)).toBeUndefined()
    await fixture.time.advance(1)
    expect(await errcodeOf(fixture, old)).toBe(40001)
    expect(await errcodeOf(fixture, next)).toBeUndefined()
  })

  test('issues tokens that do not replace the stable token', async () => {
    const fixture = createFixture()
    const classic = await fixture.classicToken()
    const stable = await fixture.stableToken()
    await fixture.stableToken({ force_refresh: true })
    await fixture.classicToken()
    expect(await errcodeOf(fixture, classic.access_token)).toBeUndefined()
    expect(await errcodeOf(fixture, stable.access_token)).toBe(40001)
  })
})

describe('createAccessTokens', () => {
  test('throws 41001 without a token, 40014 for an unknown token, 42001 for an expired token', async () => {
    const fixture = createFixture()
    const { access_token } = await fixture.stableToken()
    expect((await fixture.get('getcallbackip')).errcode).toBe(41001)
    expect(await errcodeOf(fixture, 'made-up')).toBe(40014)
    await fixture.time.advance(120 * MINUTE_MS)
    expect(await errcodeOf(fixture, access_token)).toBe(42001)
  })

  test('returns a valid token after all tokens were revoked', async () => {
    const fixture = createFixture()
    const { access_token: old } = await fixture.stableToken()
    fixture.simulator.accessTokens.revoke()
    expect(await errcodeOf(fixture, old)).toBe(40001)
    expect(await errcodeOf(fixture, (await fixture.stableToken()).access_token)).toBeUndefined()
  })
})
