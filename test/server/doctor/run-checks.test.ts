import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectStore } from '../../../server/doctor/inspect-store.ts'
import { toJson, toText } from '../../../server/doctor/report.ts'
import { type DoctorDeps, runChecks } from '../../../server/doctor/run-checks.ts'
import { readKeyFile } from '../../../server/keys/key-file.ts'
import { SECRET } from '../../support/test-server.ts'
import { type DoctorFixture, hangs, idsOf, openDoctorFixture } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const run = (env = {}, deps: Partial<DoctorDeps> = {}) =>
  runChecks(fixture.env(env), { ...fixture.deps, inspectStore, readKeyFile, ...deps })
const found = async (env = {}, deps: Partial<DoctorDeps> = {}) => idsOf(await run(env, deps))

describe('runChecks', () => {
  test('reports only ok for a complete configuration', async () => {
    expect(await found()).toEqual([
      'config.ok ok',
      'mode.ok ok',
      'aes-key.ok ok',
      'keys.ok ok',
      'store.new ok',
      'token.ok ok',
      'qr.ok ok',
      'quota.ok ok',
      'reach.ok ok',
      'callback-addresses.ok ok',
      'api-addresses.ok ok',
      'clock.ok ok',
      'callback.ok ok',
      'callback.forgery ok',
    ])
    expect(fixture.time.pending()).toBe(0)
  })

  test('makes no other call to WeChat without a token, and still reads the time from the refusal', async () => {
    fixture.simulator.faults.fail('/cgi-bin/stable_token', 40164)
    const ids = await found()
    expect(ids.filter((id) => /^(token|qr|quota|reach|callback-addresses|api-addresses|clock)\./.test(id))).toEqual([
      'token.ip wrong',
      'clock.ok ok',
    ])
  })

  test.each([
    [0, 'clock.ok ok'],
    [90_000, 'clock.skewed warn'],
    [-400_000, 'clock.wrong wrong'],
    [undefined, 'clock.unknown warn'],
  ])('reads the time from WeChat’s answer: %s ms ahead gives %s', async (ms, expected) => {
    fixture.setSkew(ms)
    expect(await found()).toContain(expected)
  })

  test('reads the server time from the answer to the QR code request when a token service is set', async () => {
    const { access_token } = fixture.simulator.accessTokens.issueStable()
    fixture.answerWith('tokens.test', async () =>
      Response.json({ access_token, expires_in: 7200 }, { headers: { Date: new Date(0).toUTCString() } }),
    )
    fixture.setSkew(90_000)
    const ids = await found({ ACCESS_TOKEN_URL: 'http://tokens.test/' })
    expect(ids).toEqual(expect.arrayContaining(['token-service.ok ok', 'qr.ok ok', 'clock.skewed warn']))
  })

  test('skips the checks that need a faulty setting, runs the other checks and names the skipped checks', async () => {
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
      'reach.ok ok',
      'callback-addresses.ok ok',
      'api-addresses.ok ok',
      'clock.ok ok',
      'config.skipped warn',
    ])
    expect(findings.at(-1)?.en).toBe('Not checked: the keys of the back ends, the callback.')
  })

  test('ends within 15 s when every connection hangs', async () => {
    const startedAt = fixture.time.clock()
    let findings: string[] | undefined
    found({}, { fetch: hangs, inspectStore: () => new Promise(() => {}) }).then((ids) => {
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

  test('keeps the other findings when one check throws, and does not show the error message', async () => {
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
    const outputs: string[] = []
    for (const errcode of [0, 40001, 48001, 45009, 49999]) {
      fixture.simulator.faults.clear()
      for (const path of [
        'qrcode/create',
        'openapi/quota/get',
        'callback/check',
        'getcallbackip',
        'get_api_domain_ip',
      ]) {
        fixture.simulator.faults.fail(`/cgi-bin/${path}`, errcode)
      }
      const findings = await run({ PUBLIC_URL: 'http://bind.test:4000' })
      outputs.push(toText(findings), toJson(findings))
    }
    fixture.answerWith('wechat.test', async () => Response.json({ errcode: 1, errmsg: `${access_token} ${appSecret}` }))
    outputs.push(toJson(await run()))
    for (const secret of secrets) expect(outputs.join()).not.toContain(secret)
  })
})
