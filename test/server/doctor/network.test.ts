import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAccessToken } from '../../../server/doctor/access-token.ts'
import { checkApiAddresses, checkCallbackAddresses, checkReach } from '../../../server/doctor/network.ts'
import { answers, type DoctorFixture, hangs, idsOf, openDoctorFixture, refuses } from './doctor-fixture.ts'

const CHECK = '/cgi-bin/callback/check'

let fixture: DoctorFixture
let access: { apiBase: string; accessToken: string }
beforeEach(async () => {
  fixture = await openDoctorFixture()
  const { accessToken = '' } = await checkAccessToken(fixture.config(), fixture.deps)
  access = { apiBase: 'http://wechat.test', accessToken }
})
afterEach(() => fixture.close())

describe('checkReach', () => {
  const foundWith = async (answer: unknown) => {
    fixture.answerWith(CHECK, answers(answer))
    return idsOf([await checkReach(access, fixture.deps)])[0]
  }
  const dns = [{ ip: '111.161.64.40', real_operator: 'UNICOM' }]
  const ping = (package_loss: string, ip = '111.161.64.40') => ({ ip, from_operator: 'UNICOM', package_loss, time: '' })

  test('reports the addresses that WeChat resolved, and whether they answer pings', async () => {
    const finding = await checkReach(access, fixture.deps)
    expect(idsOf([finding])).toEqual(['reach.ok ok'])
    expect(finding.en).toBe(
      'WeChat resolves the host name of the callback URL to 203.0.113.80, and the host answers pings.',
    )
    expect(finding.zh).toBe('微信将回调 URL 的域名解析为 203.0.113.80，且能 ping 通。')
  })

  test('reports that no callback URL is set, and where to set it', async () => {
    fixture.simulator.faults.fail(CHECK, 40201)
    const finding = await checkReach(access, fixture.deps)
    expect(idsOf([finding])).toEqual(['reach.unset wrong'])
    expect(finding.fix?.en).toContain(
      'developers.weixin.qq.com/platform, 我的业务与服务 > 服务号 > 基础信息 > 域名与消息推送配置',
    )
  })

  test.each([
    ['a name without an address', { dns: [], ping: [] }, 'reach.dns wrong'],
    ['an answered ping', { dns, ping: [ping('0%')] }, 'reach.ok ok'],
    ['no ping', { dns }, 'reach.ok ok'],
    ['a lost ping', { dns, ping: [ping('100%')] }, 'reach.ping warn'],
    ['one of two pings lost', { dns, ping: [ping('0%'), ping('100%', '2001:db8::1')] }, 'reach.ping warn'],
    ['an answer without dns', { errcode: 0 }, 'reach.unknown warn'],
    ['entries without an address', { dns: [null, 'x', { ip: 5 }], ping: {} }, 'reach.dns wrong'],
    ['a missing permission', { errcode: 48001, errmsg: '' }, 'reach.unknown warn'],
    ['an errcode as text', { errcode: '40201' }, 'reach.unknown warn'],
  ])('reports %s', async (_, answer, expected) => {
    expect(await foundWith(answer)).toBe(expected)
  })

  test('names the addresses whose ping is lost', async () => {
    fixture.answerWith(CHECK, answers({ dns, ping: [ping('100%')] }))
    expect((await checkReach(access, fixture.deps)).en).toContain('111.161.64.40 did not answer a ping')
  })

  test('only warns when WeChat cannot be reached', async () => {
    fixture.answerWith(CHECK, refuses)
    const finding = await checkReach(access, fixture.deps)
    expect(idsOf([finding])).toEqual(['reach.unknown warn'])
    expect(finding.en).toContain('(it could not be reached (ECONNREFUSED))')
    fixture.answerWith(CHECK, hangs)
    const late = checkReach(access, fixture.deps)
    fixture.time.advance(5_001)
    expect(idsOf([await late])).toEqual(['reach.unknown warn'])
  })

  test('shows only addresses of the answer, whatever WeChat sends', async () => {
    fixture.answerWith(CHECK, answers({ dns: [{ ip: access.accessToken }, ...dns], ping: [ping(access.accessToken)] }))
    expect(JSON.stringify(await checkReach(access, fixture.deps))).not.toContain(access.accessToken)
  })
})

describe.each([
  [
    'checkCallbackAddresses',
    checkCallbackAddresses,
    'getcallbackip',
    'callback-addresses',
    ['198.51.100.0/25', '203.0.113.7'],
  ],
  ['checkApiAddresses', checkApiAddresses, 'get_api_domain_ip', 'api-addresses', ['192.0.2.10', '192.0.2.11']],
] as const)('%s', (_, check, path, name, addresses) => {
  test('lists the addresses and ranges that WeChat names', async () => {
    const finding = await check(access, fixture.deps)
    expect(idsOf([finding])).toEqual([`${name}.ok ok`])
    expect(finding.addresses).toEqual(addresses)
    expect(finding.en).toMatch(/^WeChat names 2 address\(es\) /)
  })

  test('shows only addresses of the answer', async () => {
    const list = ['2001:db8::/32', access.accessToken, 7, null, '1.2.3', 'abcdef0123456789']
    fixture.answerWith(path, answers({ ip_list: list }))
    expect((await check(access, fixture.deps)).addresses).toEqual(['2001:db8::/32'])
  })

  test('only warns when WeChat names none, refuses the call or cannot be reached', async () => {
    for (const answer of [answers({ ip_list: [] }), answers({ errcode: 48001 }), answers({ ip_list: 'x' }), refuses]) {
      fixture.answerWith(path, answer)
      const finding = await check(access, fixture.deps)
      expect(idsOf([finding])).toEqual([`${name}.unknown warn`])
      expect(finding.addresses).toBeUndefined()
    }
  })
})
