/** The checks of the systems around the server: FORWARD_URL, the webhook receivers and the pages of ALLOWED_ORIGINS. */
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { checkForward } from '../../../server/doctor/forward.ts'
import { checkOrigins } from '../../../server/doctor/origins.ts'
import { checkWebhooks } from '../../../server/doctor/webhooks.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'
import { answers, type DoctorFixture, expectComplete, idsOf, openDoctorFixture, refuses } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

describe('checkForward', () => {
  const found = async (env: Env = {}) =>
    idsOf(await checkForward(fixture.config({ FORWARD_URL: 'http://old.test/wx?app=7', ...env }), fixture.deps))

  test('reports nothing without FORWARD_URL', async () => {
    expect(await found({ FORWARD_URL: undefined })).toEqual([])
  })

  test('sends the URL check of WeChat’s console, with the query of FORWARD_URL', async () => {
    const urls: string[] = []
    fixture.answerWith('old.test', async (url) => {
      urls.push(url)
      return new Response(new URL(url).searchParams.get('echostr'))
    })
    expect(await found()).toEqual(['forward.ok ok'])
    expect(urls).toEqual([
      expect.stringMatching(/^http:\/\/old\.test\/wx\?app=7&signature=\w{40}&timestamp=\d+&nonce=/),
    ])
  })

  test.each<[status: number, level: string]>([
    [200, 'warn'],
    [403, 'warn'],
    [302, 'wrong'],
    [404, 'wrong'],
    [502, 'wrong'],
  ])('reports a wrong answer with HTTP %i as %s', async (status, level) => {
    fixture.answerWith('old.test', answers('something', { status }))
    expect(await found()).toEqual([`forward.answer ${level}`])
  })

  test.each(['retry', 'hide'])(
    'reports a system that is down, and the loss under FORWARD_ERRORS=%s',
    async (errors) => {
      fixture.answerWith('old.test', refuses)
      expect(await found({ FORWARD_ERRORS: errors })).toEqual(['forward.unreachable wrong'])
    },
  )
})

describe('checkWebhooks', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const check = (sendsTests: boolean) =>
    checkWebhooks(
      fixture.config({ WEBHOOK_URL: 'http://hook.test/in', WEBHOOK_SECRET: secret }),
      fixture.deps,
      sendsTests,
    )

  test('reports nothing without a receiver', async () => {
    expect(await checkWebhooks(fixture.config(), fixture.deps, true)).toEqual([])
  })

  test('warns of a secret that several receivers have, and names the receivers but not the secret', async () => {
    fixture.answerWith('hook.test', answers(null, { status: 405 }))
    const old = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
    const config = fixture.config({
      WEBHOOK_URL: 'http://hook.test/in',
      WEBHOOK_SECRET: `${secret},${old}`,
      WEBHOOK_URL_DEFAULT: 'http://hook.test/other',
      WEBHOOK_SECRET_DEFAULT: old,
    })
    const findings = (await checkWebhooks(config, fixture.deps, false)).filter(({ level }) => level !== 'ok')
    expect(idsOf(findings)).toEqual(['webhook.shared-secret warn'])
    expect(findings[0]?.en).toContain('WEBHOOK_URL, WEBHOOK_URL_DEFAULT')
    expect(JSON.stringify(findings)).not.toContain(old)
    expectComplete(findings[0]!)
  })

  test('only checks whether the receiver answers, unless --webhooks is given', async () => {
    const methods: unknown[] = []
    fixture.answerWith('hook.test', async (_, init) => {
      methods.push(init?.method)
      return new Response(null, { status: 405 })
    })
    expect(idsOf(await check(false))).toEqual(['webhook.reachable ok'])
    expect(methods).toEqual(['HEAD'])
    fixture.answerWith('hook.test', answers(null, { status: 502 }))
    expect(idsOf(await check(false))).toEqual(['webhook.unreachable warn'])
    fixture.answerWith('hook.test', refuses)
    expect(idsOf(await check(false))).toEqual(['webhook.unreachable warn'])
  })

  test('sends a signed webhook.test, and gives the receiver’s answer with its fix', async () => {
    const bodies: unknown[] = []
    fixture.answerWith('hook.test', async (url, init) => {
      const request = new Request(url, init)
      const headers = Object.fromEntries(request.headers)
      bodies.push(new Webhook(secret).verify(await request.text(), headers))
      return new Response(null, { status: 204 })
    })
    expect(idsOf(await check(true))).toEqual(['webhook.accepted ok'])
    expect(bodies).toEqual([expect.objectContaining({ type: 'webhook.test' })])
    fixture.answerWith('hook.test', answers('', { status: 401 }))
    const findings = await check(true)
    expect(idsOf(findings)).toEqual(['webhook.refused wrong'])
    expect(findings[0]?.en).toContain('HTTP 401')
    expect(findings[0]?.fix?.en).toContain('secret')
  })
})

describe('checkOrigins', () => {
  let allowing: TestServer
  beforeEach(async () => {
    allowing = await openTestServer({ ALLOWED_ORIGINS: 'http://a.example,http://b.example' })
    fixture.answerWith('bind.test', async (url, init) => allowing.app.request(url, init))
  })
  afterEach(() => allowing.close())

  const found = async (env: Env) => idsOf(await checkOrigins(fixture.config(env), fixture.deps))

  test('asks the running server, as a browser does', async () => {
    expect(await found({ ALLOWED_ORIGINS: 'http://a.example,http://b.example' })).toEqual(['origins.ok ok'])
    expect(await found({ ALLOWED_ORIGINS: 'http://a.example,http://c.example' })).toEqual(['origins.refused wrong'])
    expect(await found({ ALLOWED_ORIGINS: undefined })).toEqual([])
    expect(await found({ ALLOWED_ORIGINS: 'http://a.example', PUBLIC_URL: undefined })).toEqual([])
  })

  test('reports a page that browsers block, and a server that does not answer', async () => {
    expect(await found({ ALLOWED_ORIGINS: 'https://a.example' })).toEqual(['origins.insecure warn'])
    fixture.answerWith('bind.test', refuses)
    expect(await found({ ALLOWED_ORIGINS: 'http://a.example' })).toEqual(['origins.unreachable wrong'])
  })
})
