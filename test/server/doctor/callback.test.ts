import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkCallback } from '../../../server/doctor/callback.ts'
import { checkPublicUrl } from '../../../server/doctor/public-url.ts'
import type { Fetch } from '../../../server/platform.ts'
import { answers, type DoctorFixture, idsOf, openDoctorFixture, refuses } from './doctor-fixture.ts'

const CALLBACK = 'bind.test/wechat/callback'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const check = (more = {}) => checkCallback(fixture.config(more), fixture.deps)
const found = async (more = {}) => idsOf(await check(more))

const echostrOf = (url: string) => new URL(url).searchParams.get('echostr') ?? ''
const echoes =
  (wrap: (echostr: string) => BodyInit): Fetch =>
  async (url) =>
    new Response(wrap(echostrOf(url)))

describe('checkCallback', () => {
  test('sends the request of WeChat’s console, then a request with a wrong signature', async () => {
    const urls: string[] = []
    const { fetch } = fixture.deps
    fixture.deps.fetch = (url, init) => {
      urls.push(url)
      return fetch(url, init)
    }
    expect(await found()).toEqual(['callback.ok ok', 'callback.forgery ok'])
    expect(urls).toHaveLength(2)
    expect(echostrOf(urls[0]!)).toMatch(/^\d{17,}$/)
    expect(new URL(urls[0]!).pathname).toBe('/wechat/callback')
  })

  test('keeps the path of PUBLIC_URL', async () => {
    fixture.answerWith('bind.test/sub/wechat/callback', answers('moved', { status: 410 }))
    expect(await found({ PUBLIC_URL: 'http://bind.test/sub' })).toEqual(['callback.status wrong'])
  })

  test('warns of an answer after more than 1 s, and times out after 5 s', async () => {
    fixture.delay(CALLBACK, 1_000)
    expect(await found()).toContain('callback.ok ok')
    fixture.delay(CALLBACK, 1_001)
    expect(await found()).toEqual(['callback.slow warn', 'callback.forgery ok'])
    fixture.delay(CALLBACK, 5_000)
    expect(await found()).toEqual(['callback.late wrong'])
  })

  test('reports a callback that cannot be reached', async () => {
    fixture.answerWith(CALLBACK, refuses)
    const findings = await check()
    expect(idsOf(findings)).toEqual(['callback.unreachable wrong'])
    expect(findings[0]?.en).toBe('The callback under PUBLIC_URL could not be reached (ECONNREFUSED).')
  })

  test('reports a server with another token', async () => {
    expect(await found({ WECHAT_TOKEN: 'another' })).toEqual(['callback.refused wrong'])
  })

  test.each([
    [301, 'callback.redirect wrong'],
    [307, 'callback.redirect wrong'],
    [204, 'callback.status wrong'],
    [404, 'callback.status wrong'],
    [502, 'callback.status wrong'],
  ])('explains HTTP %i', async (status, expected) => {
    fixture.answerWith(CALLBACK, answers(null, { status, headers: { Location: 'http://bind.test/' } }))
    const findings = await check()
    expect(idsOf(findings)).toEqual([expected])
    expect(findings[0]?.en).toContain(`HTTP ${status}, expected 200`)
  })

  test.each<[string, (echostr: string) => BodyInit, string]>([
    ['in quotes', (echostr) => JSON.stringify(echostr), 'the body has other text around it'],
    ['with a newline', (echostr) => `${echostr}\n`, 'the body has other text around it'],
    ['after a byte order mark', (echostr) => `\ufeff${echostr}`, 'the body has other text around it'],
    ['as a number', (echostr) => String(Number(echostr)), 'the body is something else'],
    ['as a page', () => '<!doctype html><p>Hello', 'the body is an HTML page'],
    ['as nothing', () => '', 'the body is empty'],
  ])('reports an echostr that is returned %s', async (_, wrap, reason) => {
    fixture.answerWith(CALLBACK, echoes(wrap))
    const findings = await check()
    expect(idsOf(findings)).toEqual(['callback.body wrong'])
    expect(findings[0]?.en).toContain(`byte for byte, but ${reason}.`)
  })

  test('reports a callback that accepts a wrong signature', async () => {
    fixture.answerWith(
      CALLBACK,
      echoes((echostr) => echostr),
    )
    expect(await found()).toEqual(['callback.ok ok', 'callback.forgery wrong'])
  })

  test('accepts only 403 for a wrong signature', async () => {
    const { fetch } = fixture.deps
    for (const status of [204, 400, 500]) {
      let count = 0
      fixture.deps.fetch = (url, init) => (++count === 1 ? fetch : answers(null, { status }))(url, init)
      const findings = await check()
      expect(idsOf(findings)).toEqual(['callback.ok ok', 'callback.forgery wrong'])
      expect(findings[1]?.en).toContain(`HTTP ${status}, expected 403`)
    }
  })

  test('reports a connection that fails at the second request', async () => {
    const { fetch } = fixture.deps
    let count = 0
    fixture.deps.fetch = (url, init) => (++count === 1 ? fetch : refuses)(url, init)
    expect(await found()).toEqual(['callback.ok ok', 'callback.unreachable wrong'])
  })

  test('warns that the callback was not checked if PUBLIC_URL is not set', async () => {
    expect(await found({ PUBLIC_URL: undefined })).toEqual(['callback.unset warn'])
  })

  test('checks the callback even if PUBLIC_URL has a wrong port', async () => {
    expect(await found({ PUBLIC_URL: 'http://bind.test:4000' })).toEqual([
      'callback.port wrong',
      'callback.ok ok',
      'callback.forgery ok',
    ])
  })
})

describe('checkPublicUrl', () => {
  const found = (url: string, apiBase = 'https://api.weixin.qq.com') => idsOf(checkPublicUrl(url, apiBase))

  test.each(['http://bind.example', 'https://bind.example', 'https://bind.example:443/sub', 'http://203.0.113.7:80'])(
    'accepts %s',
    (url) => expect(found(url)).toEqual([]),
  )

  test.each([
    'http://bind.example:4000',
    'https://bind.example:8443',
    'http://bind.example:443',
    'https://bind.example:80',
  ])('reports a port that WeChat does not call: %s', (url) => expect(found(url)).toEqual(['callback.port wrong']))

  test.each([
    'http://localhost',
    'http://127.0.0.1',
    'https://[::1]',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.0.1',
    'http://192.168.1.2',
    'http://169.254.1.1',
    'http://[fd00::1]',
    'http://[fe80::1]',
  ])('reports a host that WeChat cannot reach: %s', (url) => expect(found(url)).toEqual(['callback.host wrong']))

  test.each(['http://172.32.0.1', 'http://100.10.1.1', 'http://10.example', 'http://fda.example'])(
    'takes %s for a public address',
    (url) => expect(found(url)).toEqual([]),
  )

  test('only warns when WECHAT_API_BASE is a simulator on this machine', () => {
    expect(found('http://127.0.0.1:4000', 'http://localhost:4001')).toEqual([
      'callback.port warn',
      'callback.host warn',
    ])
  })
})
