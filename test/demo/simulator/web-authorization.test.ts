import { describe, expect, test } from 'vitest'
import { createSimulator } from '../../../demo/simulator/simulator.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const time = createFakeTime(1_700_000_000_000)
const simulator = createSimulator({ clock: time.clock, account: { webDomains: ['www.example.com'] } })
const { account, app } = simulator

/** Returns an authorization link. A parameter with the value `undefined` is left out. */
function linkOf(more: Record<string, string | undefined> = {}): string {
  const link = {
    appid: account.appId,
    redirect_uri: 'https://www.example.com/back?a=1',
    response_type: 'code',
    scope: 'snsapi_base',
    state: 'abc123',
    ...more,
  }
  const query = Object.entries(link).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `http://open.test/connect/oauth2/authorize?${new URLSearchParams(query)}#wechat_redirect`
}

function locationOf(...[link = linkOf(), how]: [link?: string, how?: { isDeclined?: boolean; isSnapshot?: boolean }]) {
  const result = simulator.authorize('amy', link, how)
  return new URL('location' in result ? result.location : '')
}

const newCode = (how?: { isSnapshot?: boolean }) => locationOf(linkOf(), how).searchParams.get('code') ?? ''

const exchange = async (code: string | undefined, more: Record<string, string> = {}) => {
  const query = {
    appid: account.appId,
    secret: account.appSecret,
    ...(code && { code }),
    grant_type: 'authorization_code',
  }
  return (await app.request(`/sns/oauth2/access_token?${new URLSearchParams({ ...query, ...more })}`)).json()
}

describe('authorize', () => {
  test('goes to redirect_uri with a code and the state, and keeps the query of redirect_uri', () => {
    expect(locationOf().href).toMatch(/^https:\/\/www\.example\.com\/back\?a=1&code=[\w-]{32}&state=abc123$/)
  })

  test('goes to redirect_uri without a code if the person declines', () => {
    expect(locationOf(linkOf(), { isDeclined: true }).search).toBe('?a=1&state=abc123')
  })

  test.each([
    [10003, { redirect_uri: 'https://example.com/' }],
    [10003, { redirect_uri: 'https://a.www.example.com/' }],
    [10003, { redirect_uri: 'https://www.example.com.evil.example/' }],
    [10003, { redirect_uri: 'javascript:alert(1)' }],
    [10005, { scope: 'snsapi_login' }],
    [10010, { scope: undefined }],
    [10011, { redirect_uri: undefined }],
    [10012, { appid: undefined }],
    [10013, { state: '' }],
    [null, { appid: 'wx0' }],
    [null, { response_type: 'token' }],
    [null, { state: 'a-b' }],
    [null, { state: 'a'.repeat(129) }],
  ])('shows the error %s for %o', (code, more) => {
    expect(simulator.authorize('amy', linkOf(more))).toMatchObject({ error: { code } })
  })

  test('refuses a link with the parameters in another order', () => {
    const url = new URL(linkOf())
    const reversed = new URLSearchParams([...url.searchParams].reverse())
    expect(simulator.authorize('amy', `${url.origin}${url.pathname}?${reversed}`)).toMatchObject({
      error: { code: null },
    })
  })
})

describe('GET /sns/oauth2/access_token', () => {
  test('returns the openid for a code, but only once', async () => {
    const code = newCode()
    expect(await exchange(code)).toEqual({
      access_token: expect.any(String),
      expires_in: 7200,
      refresh_token: expect.any(String),
      openid: simulator.phone('amy').openid,
      scope: 'snsapi_base',
    })
    expect(await exchange(code)).toMatchObject({ errcode: 40163 })
  })

  test('answers errcode 40029 to an unknown code and to a code older than five minutes', async () => {
    const code = newCode()
    time.advance(300_000)
    expect(await exchange(code)).toMatchObject({ errcode: 40029 })
    expect(await exchange('unknown')).toMatchObject({ errcode: 40029 })
  })

  test('returns a made-up openid for a code from a snapshot page', async () => {
    const answer = await exchange(newCode({ isSnapshot: true }))
    expect(answer).toMatchObject({ is_snapshotuser: 1, openid: expect.stringMatching(/^o[\w-]{27}$/) })
    expect(answer.openid).not.toBe(simulator.phone('amy').openid)
  })

  test.each([
    [41002, { appid: '' }],
    [40013, { appid: 'wx0' }],
    [41004, { secret: '' }],
    [40125, { secret: 'wrong' }],
    [41008, { code: '' }],
    [40002, { grant_type: 'client_credential' }],
  ])('answers errcode %i to %o', async (errcode, more) => {
    expect(await exchange('c', more)).toMatchObject({ errcode })
  })
})

describe('the authorization page over HTTP', () => {
  const open = (link = linkOf(), headers: Record<string, string> = {}) =>
    app.request(link.replace('http://open.test', ''), { headers })

  test('identifies the person by the cookie that the control API sets', async () => {
    const set = await app.request('/control/phones/amy/browser', { method: 'POST' })
    const [cookie = ''] = (set.headers.get('Set-Cookie') ?? '').split(';')
    const response = await open(linkOf(), { Cookie: cookie })
    expect(response.status).toBe(302)
    expect(response.headers.get('Location')).toContain('/back?a=1&code=')
  })

  test("displays WeChat's error text and number, even for an error that a test has set", async () => {
    const agent = { 'User-Agent': 'MicroMessenger/8.0 simulated-person/amy' }
    expect(await (await open(linkOf({ redirect_uri: 'https://evil.example/' }), agent)).text()).toContain(
      '错误码:10003',
    )
    simulator.faults.fail('/connect/oauth2/authorize', 10004)
    expect(await (await open(linkOf(), agent)).text()).toContain('此公众号被封禁')
  })

  test('can be opened on a phone with the control API', async () => {
    const body = JSON.stringify({ url: linkOf(), isDeclined: true })
    const response = await app.request('/control/phones/amy/authorize', { method: 'POST', body })
    expect(await response.json()).toEqual({ location: 'https://www.example.com/back?a=1&state=abc123' })
  })
})
