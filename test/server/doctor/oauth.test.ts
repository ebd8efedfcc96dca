import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { checkOauth } from '../../../server/doctor/oauth.ts'
import { answers, type DoctorFixture, idsOf, openDoctorFixture, refuses } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const served = answers('<p>PROOF_EXPIRED</p>', { status: 410 })

const find = (env: Env = {}) => checkOauth(fixture.config({ WECHAT_OAUTH: 'on', ...env }), fixture.deps)

describe('checkOauth', () => {
  test('asks WeChat with a code that nobody has, and names the domain to enter in the console', async () => {
    fixture.answerWith('/wechat/oauth', served)
    const findings = await find()
    expect(idsOf(findings)).toEqual(['oauth.secret ok', 'oauth.domain ok', 'oauth.path ok'])
    expect(findings[1]).toMatchObject({ en: expect.stringMatching(/网页授权域名.* contains bind\.test/) })
  })

  test.each([
    [40125, 'oauth.secret wrong'],
    [40013, 'oauth.appid wrong'],
    [-1, 'oauth.busy warn'],
  ])('explains errcode %i', async (errcode, expected) => {
    fixture.simulator.faults.fail('/sns/oauth2/access_token', errcode)
    expect(idsOf(await find())[0]).toBe(expected)
  })

  test('reports a proxy that does not pass the path', async () => {
    for (const answer of [refuses, answers('not found', { status: 404 }), answers('other', { status: 410 })]) {
      fixture.answerWith('/wechat/oauth', answer)
      expect(idsOf(await find())).toContain('oauth.path wrong')
    }
  })

  test('compares the files at the root of the domain', async () => {
    fixture.answerWith('/wechat/oauth', served)
    fixture.answerWith('http://bind.test/MP_verify_a.txt', answers('a'))
    fixture.answerWith('http://bind.test/MP_verify_b.txt', answers('b\n'))
    const env = { PUBLIC_URL: 'http://bind.test/base', WECHAT_VERIFY_FILE: 'MP_verify_a.txt:a,MP_verify_b.txt:b' }
    expect(idsOf(await find(env)).slice(3)).toEqual(['oauth.file ok', 'oauth.file wrong'])
  })

  test('warns without PUBLIC_URL', async () => {
    expect(idsOf(await find({ PUBLIC_URL: '' }))).toEqual(['oauth.secret ok', 'oauth.domain warn'])
  })
})
