import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettings } from '../../../server/doctor/settings.ts'
import { SECRET } from '../../support/test-server.ts'
import { type DoctorFixture, idsOf, openDoctorFixture } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

describe('readSettings', () => {
  test('reads a valid configuration', () => {
    const { config, faulty, findings } = readSettings(fixture.env())
    expect(idsOf(findings)).toEqual(['config.ok ok'])
    expect(config?.wechat.appId).toBe(fixture.simulator.account.appId)
    expect(faulty.size).toBe(0)
  })

  test('names each fault with its rule in both languages, and reads the other settings', () => {
    const key = `${fixture.simulator.account.encodingAesKey}=`
    const { config, faulty, findings } = readSettings(
      fixture.env({ WECHAT_ENCODING_AES_KEY: key, PUBLIC_URL: 'bind.test', TICKET_TTL: '5' }),
    )
    expect(idsOf(findings).sort()).toEqual([
      'config.PUBLIC_URL wrong',
      'config.TICKET_TTL wrong',
      'config.WECHAT_ENCODING_AES_KEY wrong',
    ])
    expect([...faulty].sort()).toEqual(['PUBLIC_URL', 'TICKET_TTL', 'WECHAT_ENCODING_AES_KEY'])
    const { fix } = findings.find(({ id }) => id === 'config.WECHAT_ENCODING_AES_KEY')!
    expect(fix?.en).toContain('got 44 characters: copy it without "="')
    expect(fix?.zh).toContain('当前为 44 位')
    expect(config?.wechat.appSecret).toBe(fixture.simulator.account.appSecret)
    expect(JSON.stringify(findings)).not.toContain(key)
  })

  test('warns of a name that looks like a setting but is not a setting', () => {
    const { config, findings } = readSettings(fixture.env({ WECHAT_PAY_KEY: 'x' }))
    expect(idsOf(findings)).toEqual(['config.ok ok', 'config.unknown warn'])
    expect(config).toBeDefined()
  })

  test('reads the other settings if a name is misspelled and two settings contradict each other', () => {
    const { config, faulty } = readSettings(
      fixture.env({ CONFIRMS: 'code', MAX_WAITERS: '30000', WEBHOOK_URL_NONE: 'https://a.example' }),
    )
    expect([...faulty].sort()).toEqual(['CONFIRMS', 'MAX_CONNECTIONS', 'WEBHOOK_SECRET_NONE', 'WEBHOOK_URL_NONE'])
    expect(config?.maxConnections).toBe(25_000)
  })

  test('reads the defaults from an empty environment', () => {
    const { config, findings } = readSettings({})
    expect(idsOf(findings).sort()).toEqual([
      'config.BIND_KEYS wrong',
      'config.WECHAT_APP_ID wrong',
      'config.WECHAT_APP_SECRET wrong',
      'config.WECHAT_ENCODING_AES_KEY wrong',
      'config.WECHAT_TOKEN wrong',
    ])
    expect(config?.ticketTtlMs).toBe(120_000)
  })

  test('reads the other settings when many are malformed', () => {
    const malformed = Object.fromEntries(
      ['WECHAT_MODE', 'DATABASE_URL', 'PORT', 'CONFLICT', 'LOG_LEVEL', 'WEBHOOK_URL', 'ALLOWED_ORIGINS'].map((name) => [
        name,
        '?',
      ]),
    )
    const { config, findings } = readSettings(fixture.env(malformed))
    for (const name of Object.keys(malformed)) expect(idsOf(findings)).toContain(`config.${name} wrong`)
    expect(config).toBeDefined()
  })

  test('reads the other settings when a webhook has no secret, for all tenants or for one', () => {
    for (const suffix of ['', '_ACME']) {
      const { config, findings } = readSettings(
        fixture.env({ [`WEBHOOK_URL${suffix}`]: 'https://hook.test', BIND_KEYS: `k1:${SECRET}:acme` }),
      )
      expect(idsOf(findings)).toEqual([`config.WEBHOOK_SECRET${suffix} wrong`])
      expect(config?.webhooks.all).toEqual([])
    }
  })
})
