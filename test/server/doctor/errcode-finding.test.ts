import { describe, expect, test } from 'vitest'
import { findErrcode } from '../../../server/doctor/errcode-finding.ts'
import { expectComplete } from './doctor-fixture.ts'

const fixOf = (errmsg: string, errcode = 40164) => {
  const finding = findErrcode('token', { errcode, errmsg })!
  expectComplete(finding)
  return finding.fix?.en
}

describe('findErrcode', () => {
  test('returns undefined for an answer without a fault', () => {
    expect(findErrcode('qr', { ticket: 't' })).toBeUndefined()
    expect(findErrcode('qr', { errcode: 0, errmsg: 'ok' })).toBeUndefined()
  })

  test.each([
    ['invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 65f0-1a2b', '203.0.113.7'],
    ['invalid ip 2001:db8::17 ipv6 2001:db8::17, not in whitelist rid: 65f0-1a2b', '2001:db8::17'],
    ['access clientip is not registered requestIP: 203.0.113.8 rid: 65f0-1a2b', '203.0.113.8'],
    ['not in whitelist', 'the address'],
  ])('reads the address from "%s"', (errmsg, address) => {
    expect(fixOf(errmsg)).toContain(`Add ${address} to IP白名单`)
    expect(fixOf(errmsg, 61004)).toContain(`Add ${address} to IP白名单`)
  })

  test('shows the rid and no other part of errmsg', () => {
    const { en, zh } = findErrcode('qr', { errcode: 48001, errmsg: 'api unauthorized o6_secret rid: 65f0-1a2b-3c' })!
    expect(en).toBe('The account has no permission for this API (errcode 48001, rid 65f0-1a2b-3c).')
    expect(zh).toBe('该账号没有此接口的权限（errcode 48001，rid 65f0-1a2b-3c）。')
  })

  test('takes 40001 as a wrong AppSecret in a token request, and as an invalid token elsewhere', () => {
    const id = (call: 'token' | 'token-service' | 'qr') => findErrcode(call, { errcode: 40001, errmsg: '' })?.id
    expect([id('token'), id('token-service'), id('qr')]).toEqual([
      'token.secret',
      'token-service.secret',
      'qr.token-dead',
    ])
  })
})
