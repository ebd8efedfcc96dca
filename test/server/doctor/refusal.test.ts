import { describe, expect, test } from 'vitest'
import { toRefusal } from '../../../server/doctor/refusal.ts'
import { expectPlain } from './doctor-fixture.ts'

const fixOf = (errmsg: string, errcode = 40164) => {
  const finding = toRefusal('token', { errcode, errmsg })!
  expectPlain(finding)
  return finding.fix?.en
}

describe('toRefusal', () => {
  test('finds nothing in an answer that is no refusal', () => {
    expect(toRefusal('qr', { ticket: 't' })).toBeUndefined()
    expect(toRefusal('qr', { errcode: 0, errmsg: 'ok' })).toBeUndefined()
  })

  test.each([
    ['invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 65f0-1a2b', '203.0.113.7'],
    ['invalid ip 2001:db8::17 ipv6 2001:db8::17, not in whitelist rid: 65f0-1a2b', '2001:db8::17'],
    ['access clientip is not registered requestIP: 203.0.113.8 rid: 65f0-1a2b', '203.0.113.8'],
    ['not in whitelist', 'it'],
  ])('takes the address from "%s"', (errmsg, address) => {
    expect(fixOf(errmsg)).toContain(`Add ${address} to IP白名单`)
    expect(fixOf(errmsg, 61004)).toContain(`Add ${address} to IP白名单`)
  })

  test('passes on the rid and nothing else of what WeChat wrote', () => {
    const { en, zh } = toRefusal('qr', { errcode: 48001, errmsg: 'api unauthorized o6_secret rid: 65f0-1a2b-3c' })!
    expect(en).toBe('The account has no right to this call (errcode 48001, rid 65f0-1a2b-3c).')
    expect(zh).toBe('该账号没有此接口的权限（errcode 48001，rid 65f0-1a2b-3c）。')
  })

  test('reads 40001 as the AppSecret where a token is asked for, as a dead token elsewhere', () => {
    const id = (area: 'token' | 'token-service' | 'qr') => toRefusal(area, { errcode: 40001, errmsg: '' })?.id
    expect([id('token'), id('token-service'), id('qr')]).toEqual([
      'token.secret',
      'token-service.secret',
      'qr.token-dead',
    ])
  })
})
