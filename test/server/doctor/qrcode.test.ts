import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAccessToken } from '../../../server/doctor/access-token.ts'
import { checkQrcode, checkQuota } from '../../../server/doctor/qrcode.ts'
import { answers, type DoctorFixture, idsOf, openDoctorFixture, refuses } from './doctor-fixture.ts'

const CREATE = '/cgi-bin/qrcode/create'
const QUOTA = '/cgi-bin/openapi/quota/get'

let fixture: DoctorFixture
let access: { apiBase: string; accessToken: string }
beforeEach(async () => {
  fixture = await openDoctorFixture()
  const { accessToken = '' } = await checkAccessToken(fixture.config(), fixture.deps)
  access = { apiBase: 'http://wechat.test', accessToken }
})
afterEach(() => fixture.close())

const foundQrcode = async () => idsOf([(await checkQrcode(access, fixture.deps)).finding])[0]

describe('checkQrcode', () => {
  test('makes one real QR code that expires after 60 s, with a scene of wechat-bind', async () => {
    const { finding, skewMs } = await checkQrcode(access, fixture.deps)
    expect(idsOf([finding])).toEqual(['qr.ok ok'])
    expect(skewMs).toBeDefined()
    const [qrcode, ...more] = fixture.simulator.memory().qrcodes
    expect(qrcode?.scene).toMatch(/^wb1_doctor_[\w-]{16}$/)
    expect(qrcode!.expiresAt! - qrcode!.createdAt).toBe(60_000)
    expect(more).toEqual([])
  })

  test.each([
    [48001, 'qr.unauthorized wrong'],
    [48004, 'qr.banned wrong'],
    [50002, 'qr.restricted wrong'],
    [45009, 'qr.quota wrong'],
    [45011, 'qr.minute-quota warn'],
    [40001, 'qr.token-dead wrong'],
    [40014, 'qr.token-dead wrong'],
    [42001, 'qr.token-dead wrong'],
    [-1, 'qr.busy warn'],
    [49999, 'qr.refused wrong'],
  ])('explains errcode %i', async (errcode, expected) => {
    fixture.simulator.faults.fail(CREATE, errcode)
    expect(await foundQrcode()).toBe(expected)
  })

  test('reports a token that another system has invalidated', async () => {
    fixture.simulator.accessTokens.revoke()
    expect(await foundQrcode()).toBe('qr.token-dead wrong')
  })

  test('reports an API that does not answer, or answers without a QR code', async () => {
    fixture.answerWith(CREATE, refuses)
    expect(await foundQrcode()).toBe('qr.unreachable wrong')
    fixture.delay(CREATE, 5_001)
    expect(await foundQrcode()).toBe('qr.unreachable wrong')
    fixture.answerWith(CREATE, answers({ errcode: 0 }))
    expect(await foundQrcode()).toBe('qr.unreachable wrong')
  })
})

describe('checkQuota', () => {
  const foundWith = async (quota: unknown) => {
    fixture.answerWith(QUOTA, answers({ errcode: 0, errmsg: 'ok', quota }))
    return idsOf([await checkQuota(access, fixture.deps)])[0]
  }

  test('reports how many QR codes are left for today', async () => {
    const finding = await checkQuota(access, fixture.deps)
    expect(idsOf([finding])).toEqual(['quota.ok ok'])
    expect(finding.en).toBe('100000 of 100000 QR codes are left for today.')
  })

  test.each([
    [10_001, 'quota.ok ok'],
    [9_999, 'quota.low warn'],
    [1, 'quota.low warn'],
    [0, 'quota.used-up wrong'],
    [-3, 'quota.used-up wrong'],
  ])('finds for %i of 100000 left: %s', async (remain, expected) => {
    expect(await foundWith({ daily_limit: 100_000, used: 100_000 - remain, remain })).toBe(expected)
  })

  test('only warns when WeChat reports no quota, refuses the call or cannot be reached', async () => {
    expect(await foundWith(undefined)).toBe('quota.unknown warn')
    expect(await foundWith({ daily_limit: 0, remain: 0 })).toBe('quota.unknown warn')
    fixture.answerWith(QUOTA, answers({ errcode: 76021, errmsg: 'cgi_path not found' }))
    expect((await checkQuota(access, fixture.deps)).id).toBe('quota.unknown')
    fixture.answerWith(QUOTA, refuses)
    expect((await checkQuota(access, fixture.deps)).id).toBe('quota.unknown')
  })
})
