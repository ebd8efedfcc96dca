import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAccessToken } from '../../../server/doctor/access-token.ts'
import { answers, type DoctorFixture, hangs, idsOf, openDoctorFixture, refuses } from './doctor-fixture.ts'

const STABLE = '/cgi-bin/stable_token'
const SERVICE = 'http://tokens.test/get?key=hidden'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const check = async (more = {}) => checkAccessToken(fixture.config(more), fixture.deps)
const found = async (more = {}) => idsOf([(await check(more)).finding])[0]
const foundAtService = () => found({ ACCESS_TOKEN_URL: SERVICE })

describe('checkAccessToken', () => {
  test('gets a token from WeChat, never with force_refresh', async () => {
    const { finding, accessToken, skewMs } = await check()
    expect(finding).toMatchObject({ id: 'token.ok', level: 'ok' })
    expect(accessToken).toBeTruthy()
    expect(Math.abs(skewMs ?? Infinity)).toBeLessThan(1_000)
    expect(JSON.parse(fixture.simulator.wire.since(0)[0]!.raw)).toMatchObject({ force_refresh: false })
  })

  test('distinguishes a wrong AppID from a wrong AppSecret', async () => {
    expect(await found({ WECHAT_APP_SECRET: 'another' })).toBe('token.secret wrong')
    expect(await found({ WECHAT_APP_ID: 'wxanother' })).toBe('token.appid wrong')
  })

  test.each([
    [40001, 'token.secret wrong'],
    [40125, 'token.secret wrong'],
    [40013, 'token.appid wrong'],
    [40243, 'token.frozen wrong'],
    [40164, 'token.ip wrong'],
    [61004, 'token.ip wrong'],
    [89501, 'token.ip-approval wrong'],
    [89503, 'token.ip-approval wrong'],
    [89506, 'token.ip-rejected wrong'],
    [89507, 'token.ip-rejected wrong'],
    [45009, 'token.quota wrong'],
    [45011, 'token.minute-quota warn'],
    [50002, 'token.restricted wrong'],
    [-1, 'token.busy warn'],
    [49999, 'token.refused wrong'],
  ])('explains errcode %i', async (errcode, expected) => {
    fixture.simulator.faults.fail(STABLE, errcode)
    const { finding, accessToken } = await check()
    expect(idsOf([finding])).toEqual([expected])
    expect(finding.en).toMatch(new RegExp(`\\(errcode ${errcode}, rid [\\w-]+\\)`))
    expect(accessToken).toBeUndefined()
  })

  test('shows the address of this server that WeChat saw, and says where to add it', async () => {
    fixture.simulator.faults.fail(STABLE, 40164)
    const { finding } = await check()
    expect(finding.en).toContain("This server's IP address, 127.0.0.1, is not in")
    expect(finding.fix?.en).toContain('Add 127.0.0.1 to IP白名单')
    expect(finding.fix?.zh).toContain('将 127.0.0.1 加入 IP 白名单')
  })

  test('states how long to wait after a rejection', async () => {
    fixture.simulator.faults.fail(STABLE, 89506)
    expect((await check()).finding.fix?.en).toContain('24 hours')
    fixture.simulator.faults.fail(STABLE, 89507)
    expect((await check()).finding.fix?.en).toContain('one hour')
  })

  test('reports an API that is down, does not answer, cannot be reached or is not WeChat’s', async () => {
    fixture.simulator.faults.setDown(true)
    expect((await check()).finding.en).toBe("WeChat's API answered HTTP 502, expected 200.")
    fixture.simulator.faults.setDown(false)
    fixture.delay(STABLE, 5_001)
    expect((await check()).finding.en).toBe("WeChat's API did not answer within 5 s.")
    fixture.answerWith(STABLE, refuses)
    expect((await check()).finding.en).toBe("WeChat's API could not be reached (ECONNREFUSED).")
    fixture.answerWith(STABLE, answers('<html>sign in</html>'))
    expect((await check()).finding.en).toBe("WeChat's API answered something other than a JSON object.")
    fixture.answerWith(STABLE, answers({ hello: 1 }))
    expect((await check()).finding.en).toBe("WeChat's API answered without an access token.")
    expect(await found()).toBe('token.unreachable wrong')
  })

  test('asks the token service instead of WeChat if one is set', async () => {
    fixture.answerWith('tokens.test', answers({ access_token: 't', expires_in: 7200 }))
    const { finding, accessToken, skewMs } = await check({ ACCESS_TOKEN_URL: SERVICE })
    expect(idsOf([finding])).toEqual(['token-service.ok ok'])
    expect(accessToken).toBe('t')
    expect(skewMs).toBeUndefined()
  })

  test.each([
    ['no connection', refuses, 'token-service.unreachable wrong'],
    ['an error page', answers('down', { status: 500 }), 'token-service.unreachable wrong'],
    ['no token', answers({ token: 't' }), 'token-service.answer wrong'],
    ['an expired token', answers({ access_token: 't', expires_in: 0 }), 'token-service.answer wrong'],
    ['a refusal of WeChat', answers({ errcode: 40125, errmsg: 'x' }), 'token-service.secret wrong'],
  ])('reports a token service that returns %s', async (_, answer, expected) => {
    fixture.answerWith('tokens.test', answer)
    expect(await foundAtService()).toBe(expected)
  })

  test('waits 5 s for a token service, and does not show its URL', async () => {
    fixture.answerWith('tokens.test', hangs)
    const checking = check({ ACCESS_TOKEN_URL: SERVICE })
    fixture.time.advance(5_000)
    const { finding } = await checking
    expect(finding.en).toContain('did not answer within 5 s')
    expect(JSON.stringify(finding)).not.toMatch(/tokens\.test|hidden/)
  })
})
