import { describe, expect, test } from 'vitest'
import { setStage } from './simulator-fixture.ts'

const MINUTE_MS = 60_000

/** The errcode that a call with this token gets; undefined when it is good. */
async function errcodeOf(stage: ReturnType<typeof setStage>, token: string): Promise<number | undefined> {
  return (await stage.get(`getcallbackip?access_token=${encodeURIComponent(token)}`)).errcode
}

describe('POST /cgi-bin/stable_token', () => {
  test('gives the same token to all who ask, with the life that remains', async () => {
    const stage = setStage()
    const first = await stage.stableToken()
    await stage.time.advance(100 * MINUTE_MS)
    expect(first.expires_in).toBe(7200)
    expect(await stage.stableToken()).toEqual({ access_token: first.access_token, expires_in: 1200 })
  })

  test('gives a new one in the last 5 minutes, and the old one lives 5 minutes more', async () => {
    const stage = setStage()
    const { access_token: old } = await stage.stableToken()
    await stage.time.advance(118 * MINUTE_MS)
    const renewed = await stage.stableToken()
    expect(renewed.access_token).not.toBe(old)
    expect(renewed.expires_in).toBe(7200)
    await stage.time.advance(5 * MINUTE_MS - 1)
    expect(await errcodeOf(stage, old)).toBeUndefined()
    await stage.time.advance(1)
    expect(await errcodeOf(stage, old)).toBe(42001)
  })

  test('kills the old one at once under force_refresh', async () => {
    const stage = setStage()
    const { access_token: old } = await stage.stableToken()
    const forced = await stage.stableToken({ force_refresh: true })
    expect(forced.access_token).not.toBe(old)
    expect(await errcodeOf(stage, old)).toBe(40001)
  })

  test('does nothing when forced twice within 30 s', async () => {
    const stage = setStage()
    const forced = await stage.stableToken({ force_refresh: true })
    await stage.time.advance(29_999)
    expect((await stage.stableToken({ force_refresh: true })).access_token).toBe(forced.access_token)
    await stage.time.advance(1)
    expect((await stage.stableToken({ force_refresh: true })).access_token).not.toBe(forced.access_token)
  })

  test('refuses the 21st forced refresh of a day', async () => {
    const stage = setStage()
    for (let time = 0; time < 20; time += 1) {
      expect((await stage.stableToken({ force_refresh: true })).errcode).toBeUndefined()
      await stage.time.advance(30_000)
    }
    expect((await stage.stableToken({ force_refresh: true })).errcode).toBe(45009)
  })

  test.each([
    [{ grant_type: 'password' }, 40002],
    [{ appid: undefined }, 41002],
    [{ appid: 'wx0' }, 40013],
    [{ secret: undefined }, 41004],
    [{ secret: 'wrong' }, 40125],
  ])('refuses %o with %i', async (wrong, errcode) => {
    const answer = await setStage().stableToken(wrong)
    expect(answer.errcode).toBe(errcode)
    expect(answer.errmsg).toMatch(/ rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/)
  })

  test.each([
    ['', 44002],
    ['{"grant_type"', 47001],
    ['[]', 47001],
  ])('refuses the body %o with %i', async (body, errcode) => {
    expect((await setStage().post('stable_token', body)).errcode).toBe(errcode)
  })

  test('refuses GET with 43002', async () => {
    expect((await setStage().get('stable_token')).errcode).toBe(43002)
  })
})

describe('GET /cgi-bin/token', () => {
  test('gives a new token each time, and the one before works for 5 minutes', async () => {
    const stage = setStage()
    const { access_token: old } = await stage.classicToken()
    const { access_token: next } = await stage.classicToken()
    await stage.time.advance(5 * MINUTE_MS - 1)
    expect(await errcodeOf(stage, old)).toBeUndefined()
    await stage.time.advance(1)
    expect(await errcodeOf(stage, old)).toBe(40001)
    expect(await errcodeOf(stage, next)).toBeUndefined()
  })

  test('leaves the stable token alone, and is left alone by it', async () => {
    const stage = setStage()
    const classic = await stage.classicToken()
    const stable = await stage.stableToken()
    await stage.stableToken({ force_refresh: true })
    await stage.classicToken()
    expect(await errcodeOf(stage, classic.access_token)).toBeUndefined()
    expect(await errcodeOf(stage, stable.access_token)).toBe(40001)
  })
})

describe('createAccessTokens', () => {
  test('answers 41001 without a token, 40014 to an unknown one, 42001 to one past its end', async () => {
    const stage = setStage()
    const { access_token } = await stage.stableToken()
    expect((await stage.get('getcallbackip')).errcode).toBe(41001)
    expect(await errcodeOf(stage, 'made-up')).toBe(40014)
    await stage.time.advance(120 * MINUTE_MS)
    expect(await errcodeOf(stage, access_token)).toBe(42001)
  })

  test('gives a good token again after all were revoked', async () => {
    const stage = setStage()
    const { access_token: old } = await stage.stableToken()
    stage.simulator.accessTokens.revoke()
    expect(await errcodeOf(stage, old)).toBe(40001)
    expect(await errcodeOf(stage, (await stage.stableToken()).access_token)).toBeUndefined()
  })
})
