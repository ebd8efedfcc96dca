import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DoctorDeps, examine } from '../../../server/doctor/examination.ts'
import { toJson, toText } from '../../../server/doctor/report.ts'
import { lookAtStore } from '../../../server/doctor/store-look.ts'
import { readKeyFile } from '../../../server/keys/key-file.ts'
import { SECRET } from '../../support/test-server.ts'
import { type DoctorFixture, hangs, idsOf, openDoctorFixture } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const run = (env = {}, deps: Partial<DoctorDeps> = {}) =>
  examine(fixture.env(env), { ...fixture.reach, lookAtStore, readKeyFile, ...deps })
const found = async (env = {}, deps: Partial<DoctorDeps> = {}) => idsOf(await run(env, deps))

describe('examine', () => {
  test('finds nothing wrong with a complete set-up', async () => {
    expect(await found()).toEqual([
      'config.ok ok',
      'mode.ok ok',
      'aes-key.ok ok',
      'keys.ok ok',
      'store.new ok',
      'token.ok ok',
      'qr.ok ok',
      'quota.ok ok',
      'clock.ok ok',
      'callback.ok ok',
      'callback.forgery ok',
    ])
    expect(fixture.time.pending()).toBe(0)
  })

  test('asks WeChat nothing more without a token, and still reads the time off its refusal', async () => {
    fixture.simulator.faults.fail('/cgi-bin/stable_token', 40164)
    const ids = await found()
    expect(ids.filter((id) => /^(token|qr|quota|clock)\./.test(id))).toEqual(['token.ip wrong', 'clock.ok ok'])
  })

  test.each([
    [0, 'clock.ok ok'],
    [90_000, 'clock.skewed warn'],
    [-400_000, 'clock.wrong wrong'],
    [undefined, 'clock.unknown warn'],
  ])('reads the time off WeChat’s answer: %s ms ahead is %s', async (ms, expected) => {
    fixture.setSkew(ms)
    expect(await found()).toContain(expected)
  })

  test('reads it off the QR where another service gives the token', async () => {
    const { access_token } = fixture.simulator.accessTokens.issueStable()
    fixture.stand('tokens.test', async () =>
      Response.json({ access_token, expires_in: 7200 }, { headers: { Date: new Date(0).toUTCString() } }),
    )
    fixture.setSkew(90_000)
    const ids = await found({ ACCESS_TOKEN_URL: 'http://tokens.test/' })
    expect(ids).toEqual(expect.arrayContaining(['token-service.ok ok', 'qr.ok ok', 'clock.skewed warn']))
  })

  test('checks all that a faulty setting does not spoil, and says what it left out', async () => {
    const findings = await run({ WECHAT_TOKEN: '', BIND_KEYS: undefined })
    expect(idsOf(findings)).toEqual([
      'config.WECHAT_TOKEN wrong',
      'config.BIND_KEYS wrong',
      'mode.ok ok',
      'aes-key.ok ok',
      'store.new ok',
      'token.ok ok',
      'qr.ok ok',
      'quota.ok ok',
      'clock.ok ok',
      'config.skipped warn',
    ])
    expect(findings.at(-1)?.en).toBe("Not checked: the clients' keys, the callback.")
  })

  test('ends within 15 s when everything hangs', async () => {
    const startedAt = fixture.time.clock()
    let findings: string[] | undefined
    found({}, { fetch: hangs, lookAtStore: () => new Promise(() => {}) }).then((ids) => {
      findings = ids
    })
    while (!findings) {
      await nextTurn()
      fixture.time.advance(500)
    }
    expect(fixture.time.clock() - startedAt).toBeLessThanOrEqual(15_000)
    expect(findings).toEqual(
      expect.arrayContaining(['store.late wrong', 'token.unreachable wrong', 'callback.late wrong']),
    )
    expect(fixture.time.pending()).toBe(0)
  })

  test('keeps what it found when one check fails by a fault of its own, and does not show why', async () => {
    const readKeyFile = () => {
      throw new RangeError(SECRET)
    }
    const findings = await run({ BIND_KEYS_FILE: 'any' }, { readKeyFile })
    expect(idsOf(findings)).toEqual(expect.arrayContaining(['keys.failed wrong', 'token.ok ok', 'callback.ok ok']))
    expect(toText(findings)).not.toContain(SECRET)
  })

  test('shows no secret and no token, whatever WeChat answers', async () => {
    const { appSecret, token, encodingAesKey } = fixture.simulator.account
    const { access_token } = fixture.simulator.accessTokens.issueStable()
    const secrets = [appSecret, token, encodingAesKey, SECRET, access_token]
    const said: string[] = []
    for (const errcode of [0, 40001, 48001, 45009, 49999]) {
      fixture.simulator.faults.clear()
      for (const path of ['qrcode/create', 'openapi/quota/get']) {
        fixture.simulator.faults.fail(`/cgi-bin/${path}`, errcode)
      }
      const findings = await run({ PUBLIC_URL: 'http://bind.test:4000' })
      said.push(toText(findings), toJson(findings))
    }
    fixture.stand('wechat.test', async () => Response.json({ errcode: 1, errmsg: `${access_token} ${appSecret}` }))
    said.push(toJson(await run()))
    for (const secret of secrets) expect(said.join()).not.toContain(secret)
  })
})
