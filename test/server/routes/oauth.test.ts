/** The web authorization: a page inside WeChat binds without a scan. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Env } from '../../../server/config/config.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const PAGE = 'https://www.example.com/account?tab=2'
const ON = { WECHAT_OAUTH: 'on', PUBLIC_URL: 'http://bind.test', ALLOWED_ORIGINS: 'https://www.example.com' }

let testServer: TestServer
const open = async (env: Env = {}) => {
  await testServer?.close()
  testServer = await openTestServer(
    { ...ON, WECHAT_OPEN_BASE: 'http://wechat.test', ...env },
    { account: { webDomains: ['bind.test'] } },
  )
}
beforeEach(() => open())
afterEach(() => testServer.close())

type How = { user?: string; page?: string; person?: string; isDeclined?: boolean; isSnapshot?: boolean; label?: string }

const ask = (page: unknown, user = 'u1') =>
  testServer.widget('POST', '/oauth', { user, body: { return: page } as object })

async function urlFor({ user, page = PAGE }: How = {}): Promise<string> {
  return (await (await ask(page, user)).json()).url
}

/** Opens WeChat's page on a phone. Returns the URL of this server to which WeChat sends the browser. */
function throughWechat(url: string, { person = 'amy', ...how }: How = {}): string {
  const result = testServer.simulator.authorize(person, url, how)
  if ('error' in result) throw new Error(result.error.text)
  return result.location
}

/** Follows the redirect to this server. */
const comeBack = (location: string) => testServer.app.request(location)

const pageAfter = async (location: string) => (await comeBack(location)).headers.get('Location') ?? ''

const proofIn = (page: string) => /[#?&]wechat-bind=([^&]*)$/.exec(page)?.[1] ?? ''

const proofFor = async (how: How = {}) => proofIn(await pageAfter(throughWechat(await urlFor(how), how)))

const confirm = (proof: unknown, { user, label }: How = {}) =>
  testServer.widget('POST', '/oauth/confirm', { user, label, body: { proof } as object })

const codeOf = async (response: Response) => (await response.json()).code

const isBound = async (user = 'u1') => (await testServer.bindInfo(user)).IsBound

/** `type reason` of every event, oldest first. */
async function stories(): Promise<string[]> {
  const stories: string[] = []
  for await (const { type, data } of testServer.client.events({ wait: 0 })) stories.push(`${type} ${data.Reason}`)
  return stories
}

const viewOf = async (user = 'u1') => (await testServer.widget('GET', '/binding', { user })).json()

describe('the way to WeChat and back', () => {
  test('are offered with the QR code, only with WECHAT_OAUTH=on', async () => {
    expect(await (await testServer.widget('POST', '/qrcode')).json()).toMatchObject({ state: 'unbound', oauth: true })
    await open({ WECHAT_OAUTH: undefined })
    expect(await (await testServer.widget('POST', '/qrcode')).json()).not.toHaveProperty('oauth')
    expect((await ask(PAGE)).status).toBe(404)
    expect((await comeBack('http://bind.test/wechat/oauth?code=c&state=s')).status).toBe(404)
  })

  test('lead to the authorization page of WeChat, with the parameters in the order that WeChat requires', async () => {
    await open({ WECHAT_OPEN_BASE: undefined })
    const url = await urlFor()
    const { appId } = testServer.simulator.account
    const redirect = 'http%3A%2F%2Fbind.test%2Fwechat%2Foauth'
    expect(url).toMatch(
      new RegExp(
        `^https://open\\.weixin\\.qq\\.com/connect/oauth2/authorize\\?appid=${appId}&redirect_uri=${redirect}&response_type=code&scope=snsapi_base&state=[0-9a-f]{80}#wechat_redirect$`,
      ),
    )
  })

  test('end at the page with a proof in the fragment, and bind only when the page confirms the proof', async () => {
    const response = await comeBack(throughWechat(await urlFor()))
    expect(response.status).toBe(303)
    expect(response.headers.get('Location')).toMatch(
      /^https:\/\/www\.example\.com\/account\?tab=2#wechat-bind=[\w-]{43}$/,
    )
    expect(response.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(await isBound()).toBe(false)

    const confirmed = await confirm(proofIn(response.headers.get('Location')!))
    expect(confirmed.status).toBe(200)
    expect(await confirmed.json()).toMatchObject({ state: 'bound', version: 1 })
    expect(confirmed.headers.get('ETag')).toBe('"1"')
    expect(await testServer.bindInfo()).toMatchObject({
      IsBound: true,
      OpenId: testServer.phone('amy').openid,
      Version: 1,
    })
    expect(await stories()).toEqual(['binding.bound oauth'])
  })

  test.each(['reply', 'code'])('need no other confirmation with CONFIRM=%s', async (CONFIRM) => {
    await open({ CONFIRM })
    expect(await (await confirm(await proofFor())).json()).toMatchObject({ state: 'bound' })
  })

  test('leave the fragment of an application in front of the proof', async () => {
    const pages: [string, string][] = [
      ['https://www.example.com/', 'https://www.example.com/#wechat-bind='],
      ['https://www.example.com/#', 'https://www.example.com/#wechat-bind='],
      ['https://www.example.com/#/account', 'https://www.example.com/#/account?wechat-bind='],
      ['https://www.example.com/#/account?a=1', 'https://www.example.com/#/account?a=1&wechat-bind='],
      ['https://www.example.com/#!/a?b#c', 'https://www.example.com/#!/a?b#c&wechat-bind='],
      ['https://www.example.com/#wechat-bind=old', 'https://www.example.com/#wechat-bind='],
      ['https://www.example.com/#/a?wechat-bind-error=DECLINED&b=2', 'https://www.example.com/#/a?b=2&wechat-bind='],
      ['https://www.example.com/#/a?wechat-bind=old', 'https://www.example.com/#/a?wechat-bind='],
      ['http://bind.test/page', 'http://bind.test/page#wechat-bind='],
    ]
    for (const [page, expected] of pages) {
      const back = await pageAfter(throughWechat(await urlFor({ page })))
      expect(back.slice(0, -43)).toBe(expected)
      expect(back.slice(-43)).toMatch(/^[\w-]{43}$/)
    }
  })

  test('use the address of the request if PUBLIC_URL is not set, and allow no page of that address', async () => {
    await open({ PUBLIC_URL: undefined })
    const from = (host: string, page: string) =>
      testServer.widget('POST', '/oauth', {
        headers: { Host: host, Origin: `https://${host}` },
        body: { return: page },
      })
    const { url } = await (await from('bind.example.net', PAGE)).json()
    expect(new URL(url).searchParams.get('redirect_uri')).toBe('https://bind.example.net/wechat/oauth')
    expect((await from('bind.example.net', 'https://bind.example.net/')).status).toBe(400)
    expect((await from('localhost:4000', 'https://localhost:4000/')).status).toBe(200)
  })
})

describe('the URL to return to', () => {
  test('is refused unless it is the URL of a page of an allowed origin', async () => {
    const pages = [
      'https://evil.example/',
      'https://www.example.com.evil.example/',
      'https://www.example.com@evil.example/',
      'https://user@www.example.com/',
      'https://user:pass@www.example.com/',
      'https://www.example.com:8443/',
      'https://www.example.com./',
      'http://www.example.com/',
      'https:\\\\www.example.com/',
      'https://evil.example\\@www.example.com/',
      'https://www.example.com\\.evil.example/',
      'https://www.example.com/\\evil.example/?a',
      '//www.example.com/',
      '//evil.example/',
      '/account',
      'javascript:alert(1)//https://www.example.com',
      'data:text/html,x',
      'blob:https://www.example.com/0',
      'file:///etc/passwd',
      'https://xn--www-example-com-2f.example/',
      'https://www.exаmple.com/',
      'https://www.example.com\n.evil.example/',
      ' https://www.example.com/',
      'null',
      '',
      'https://bind.test/',
      `https://www.example.com/${'a'.repeat(2048)}`,
      `https://www.example.com/${'我'.repeat(300)}`,
      undefined,
      5,
      ['https://www.example.com/'],
    ]
    const answers = await Promise.all(pages.map(async (page) => codeOf(await ask(page))))
    expect(pages.filter((_, i) => answers[i] !== 'BAD_REQUEST')).toEqual([])
  })

  test('is sent in its normal form', async () => {
    const back = await pageAfter(throughWechat(await urlFor({ page: 'HTTPS://WWW.Example.com:443/a/../我?b=<>' })))
    expect(back).toMatch(/^https:\/\/www\.example\.com\/%E6%88%91\?b=%3C%3E#wechat-bind=/)
  })

  test('may contain a backslash where a browser keeps it: in the query and in the fragment', async () => {
    const page = 'https://www.example.com/?file=C:\\a#/b\\c'
    expect(await pageAfter(throughWechat(await urlFor({ page })))).toContain(`${page}?wechat-bind=`)
  })
})

describe('attacks', () => {
  test('a link of an attacker that a victim opens binds nobody', async () => {
    const proof = await proofFor({ user: 'attacker', person: 'amy' })
    const response = await confirm(proof, { user: 'victim' })
    expect(response.status).toBe(403)
    expect(await codeOf(response)).toBe('FORBIDDEN')
    expect([await isBound('victim'), await isBound('attacker')]).toEqual([false, false])
    // The proof of the link is used up, so the attacker who learns it cannot bind the WeChat of the victim either.
    expect(await codeOf(await confirm(proof, { user: 'attacker' }))).toBe('PROOF_EXPIRED')
    expect(await isBound('attacker')).toBe(false)
  })

  test('a proof of the same ids in another tenant is refused', async () => {
    const token = await testServer.otherTenant.mintToken({ account: 'acme', userId: 'u1' })
    const response = await testServer.widget('POST', '/oauth/confirm', { token, body: { proof: await proofFor() } })
    expect(response.status).toBe(403)
    expect(await isBound()).toBe(false)
  })

  test('a state is accepted once', async () => {
    const location = throughWechat(await urlFor())
    const proof = proofIn(await pageAfter(location))
    expect(await pageAfter(location)).toBe(`${PAGE}#wechat-bind-error=PROOF_EXPIRED`)
    expect((await confirm(proof)).status).toBe(200)
  })

  test('a state is accepted once, even if it arrives twice at the same time', async () => {
    const location = throughWechat(await urlFor())
    const pages = await Promise.all([pageAfter(location), pageAfter(location), pageAfter(location)])
    expect(pages.map((page) => proofIn(page) !== '').sort()).toEqual([false, false, true])
  })

  test('a proof is accepted once, even if it arrives twice at the same time', async () => {
    const proof = await proofFor()
    const answers = await Promise.all([confirm(proof), confirm(proof)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410])
    expect(await codeOf(await confirm(proof))).toBe('PROOF_EXPIRED')
    expect(await stories()).toEqual(['binding.bound oauth'])
  })

  test('an unknown state gets a page without a redirect', async () => {
    for (const state of ['', 'short', 'x'.repeat(64), '%00', "' or 1=1"]) {
      const response = await comeBack(`http://bind.test/wechat/oauth?${new URLSearchParams({ code: 'c', state })}`)
      expect(response.status).toBe(410)
      expect(response.headers.get('Location')).toBeNull()
      expect(response.headers.get('Content-Type')).toContain('text/html')
      expect(await response.text()).not.toContain(state || '<script')
    }
  })

  test('a forged state does not reach the store', async () => {
    const genuine = new URL(await urlFor()).searchParams.get('state')!
    const writes = async () =>
      /store_duration_seconds_count\{operation="write"\} (\d+)/.exec(await testServer.deps.metrics.render())?.[1]
    const before = await writes()
    const last = genuine.at(-1) === '0' ? '1' : '0'
    for (const state of [genuine.slice(0, -1) + last, last + genuine.slice(1), genuine.toUpperCase(), `${genuine}0`]) {
      expect((await comeBack(`http://bind.test/wechat/oauth?code=c&state=${state}`)).status).toBe(410)
    }
    expect(await writes()).toBe(before)
    expect(before).toBeDefined()
  })

  test('an unknown proof gets 410, and a malformed proof gets 400', async () => {
    expect((await confirm('a'.repeat(43))).status).toBe(410)
    for (const proof of ['', 'a'.repeat(42), `${'a'.repeat(42)}=`, 5, undefined]) {
      expect((await confirm(proof)).status).toBe(400)
    }
  })

  test('a HEAD request for the link does not consume its state', async () => {
    const location = throughWechat(await urlFor())
    expect((await testServer.app.request(location, { method: 'HEAD' })).status).toBe(405)
    expect(proofIn(await pageAfter(location))).not.toBe('')
  })

  test('a code without the state, or the state of another code, binds only the WeChat of the code', async () => {
    const [ofAmy, ofBo] = ['amy', 'bo'].map(async (person) => throughWechat(await urlFor(), { person }))
    const mixed = new URL((await ofAmy)!)
    mixed.searchParams.set('code', new URL((await ofBo)!).searchParams.get('code')!)
    await confirm(proofIn(await pageAfter(mixed.href)))
    expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone('bo').openid)
  })

  test('a widget token without the scope "bind" may neither start nor confirm an authorization', async () => {
    const scope = ['unbind' as const]
    const proof = await proofFor()
    expect((await testServer.widget('POST', '/oauth', { scope, body: { return: PAGE } })).status).toBe(403)
    expect((await testServer.widget('POST', '/oauth/confirm', { scope, body: { proof } })).status).toBe(403)
    expect((await confirm(proof)).status).toBe(200)
  })

  test('no openid, state, code, proof or page is in a log line or a metric', async () => {
    const location = throughWechat(await urlFor())
    const proof = proofIn(await pageAfter(location))
    await pageAfter(location)
    await confirm(proof, { user: 'u2' })
    await confirm(await proofFor())
    const { searchParams } = new URL(location)
    const secrets = [
      proof,
      searchParams.get('state')!,
      searchParams.get('code')!,
      testServer.phone('amy').openid,
      'tab=2',
    ]
    const told = [...testServer.log.lines, await testServer.deps.metrics.render()].join('\n')
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
    expect(told).toContain('/wechat/oauth')
  })
})

describe('refusals', () => {
  test('a user who declines gets DECLINED, and the state is consumed', async () => {
    const location = throughWechat(await urlFor(), { isDeclined: true })
    expect(new URL(location).searchParams.has('code')).toBe(false)
    expect(await pageAfter(location)).toBe(`${PAGE}#wechat-bind-error=DECLINED`)
    expect(await pageAfter(location)).toBe(`${PAGE}#wechat-bind-error=PROOF_EXPIRED`)
  })

  test('a snapshot of the page has a made-up openid, which binds nobody', async () => {
    expect(await pageAfter(throughWechat(await urlFor(), { isSnapshot: true }))).toBe(
      `${PAGE}#wechat-bind-error=SNAPSHOT_PAGE`,
    )
  })

  test('a code or a call that WeChat refuses returns the error to the page, and binds nobody', async () => {
    const refusals: [number, string][] = [
      [40029, 'PROOF_EXPIRED'],
      [40163, 'PROOF_EXPIRED'],
      [41008, 'PROOF_EXPIRED'],
      [42003, 'PROOF_EXPIRED'],
      [40013, 'WECHAT_FORBIDDEN'],
      [40125, 'WECHAT_FORBIDDEN'],
      [40001, 'WECHAT_FORBIDDEN'],
      [45011, 'WECHAT_QUOTA'],
    ]
    for (const [errcode, code] of refusals) {
      testServer.simulator.faults.fail('/sns/oauth2/access_token', errcode)
      expect(await pageAfter(throughWechat(await urlFor()))).toBe(`${PAGE}#wechat-bind-error=${code}`)
    }
    expect(await viewOf()).toEqual({ state: 'unbound', version: 0 })
  })

  test('the server asks WeChat again when WeChat is busy', async () => {
    testServer.simulator.faults.fail('/sns/oauth2/access_token', -1)
    const page = pageAfter(throughWechat(await urlFor()))
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    testServer.time.advance(200)
    expect(proofIn(await page)).not.toBe('')
  })

  test('the page gets WECHAT_UNAVAILABLE when WeChat is down', async () => {
    testServer.simulator.faults.setDown(true)
    expect(await pageAfter(throughWechat(await urlFor()))).toBe(`${PAGE}#wechat-bind-error=WECHAT_UNAVAILABLE`)
  })

  test('a state and a proof expire after five minutes', async () => {
    const url = await urlFor()
    testServer.time.advance(299_000)
    const location = throughWechat(url)
    testServer.time.advance(1_000)
    expect(await pageAfter(location)).toBe(`${PAGE}#wechat-bind-error=PROOF_EXPIRED`)

    const proof = await proofFor()
    testServer.time.advance(300_000)
    const response = await confirm(proof)
    expect(response.status).toBe(410)
    expect(await codeOf(response)).toBe('PROOF_EXPIRED')
    expect(await isBound()).toBe(false)
  })

  test('a WeChat that is bound to another user gets CONFLICT, and the page shows the conflict', async () => {
    await confirm(await proofFor({ user: 'u2' }), { user: 'u2' })
    const response = await confirm(await proofFor())
    expect(response.status).toBe(409)
    expect(await codeOf(response)).toBe('CONFLICT')
    expect(await viewOf()).toMatchObject({ state: 'unbound', notice: 'conflict' })
    expect([await isBound('u1'), await isBound('u2')]).toEqual([false, true])
  })

  test.each([
    ['replace', false],
    ['allow', true],
  ])('CONFLICT=%s binds, and the other user stays bound: %s', async (CONFLICT, expected) => {
    await open({ CONFLICT })
    await confirm(await proofFor({ user: 'u2' }), { user: 'u2' })
    expect((await confirm(await proofFor())).status).toBe(200)
    expect([await isBound('u1'), await isBound('u2')]).toEqual([true, expected])
  })

  test('authorizations have the same limits as QR codes, and are counted separately', async () => {
    await open({ QR_PER_MINUTE: '2' })
    expect([(await ask(PAGE)).status, (await ask(PAGE)).status]).toEqual([200, 200])
    const refused = await ask(PAGE)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('Retry-After'))).toBe(60)
    expect((await testServer.widget('POST', '/qrcode')).status).toBe(200)
    expect((await ask('https://evil.example/')).status).toBe(400)
  })
})

describe('a binding without a scan', () => {
  test('of a bound user with the same WeChat changes nothing', async () => {
    await confirm(await proofFor())
    const again = await confirm(await proofFor())
    expect(await again.json()).toMatchObject({ state: 'bound', version: 1 })
  })

  test('with another WeChat replaces the binding', async () => {
    await confirm(await proofFor())
    await confirm(await proofFor({ person: 'bo' }))
    expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone('bo').openid)
    expect(await stories()).toEqual(['binding.bound oauth', 'binding.unbound replaced', 'binding.bound oauth'])
  })

  test('closes the QR codes of the user', async () => {
    const { url } = await (await testServer.widget('POST', '/qrcode')).json()
    await confirm(await proofFor())
    await testServer.phone('bo').scan(url, { follow: true })
    expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone('amy').openid)
  })

  test('returns a QR code for following the account, if the bound user does not follow it. A scan of this QR code binds nobody', async () => {
    const view = await (await confirm(await proofFor())).json()
    expect(view).toMatchObject({ state: 'bound', subscribed: false, follow: { url: expect.stringMatching(/^http/) } })
    expect((await testServer.bindInfo()).IsSubscribed).toBe(false)
    expect(await viewOf()).toEqual({ state: 'bound', subscribed: false, boundAt: view.boundAt, version: 1 })
    // The next page gets the same QR code.
    const again = await (await testServer.widget('POST', '/qrcode')).json()
    expect(again).toEqual(view)

    await testServer.phone('bo').scan(view.follow.url, { follow: true })
    expect((await testServer.bindInfo()).OpenId).toBe(testServer.phone('amy').openid)
  })

  test.each<[string, (url: string) => Promise<unknown>]>([
    ['the QR code of the page', (url) => testServer.phone('amy').scan(url, { follow: true })],
    ["the account's profile", () => testServer.phone('amy').follow()],
  ])('becomes subscribed when the user follows by %s, with the event binding.updated', async (_, follow) => {
    const { follow: qr } = await (await confirm(await proofFor())).json()
    await follow(qr.url)
    expect(await testServer.bindInfo()).toMatchObject({ IsSubscribed: true, Version: 2 })
    expect(await viewOf()).toEqual({ state: 'bound', boundAt: expect.any(Number), version: 2 })
    expect(await stories()).toEqual(['binding.bound oauth', 'binding.updated subscribed'])
    await testServer.phone('amy').unfollow()
    expect(await isBound()).toBe(false)
  })

  test('of a follower is subscribed before the page gets its answer', async () => {
    await testServer.phone('amy').follow()
    const view = await (await confirm(await proofFor())).json()
    expect(view).toEqual({ state: 'bound', boundAt: expect.any(Number), version: 2 })
    expect((await testServer.bindInfo()).IsSubscribed).toBe(true)
  })

  test('is kept when WeChat does not say whether the user follows', async () => {
    testServer.simulator.faults.fail('/cgi-bin/user/info', 48001, Number.POSITIVE_INFINITY)
    testServer.simulator.faults.fail('/cgi-bin/qrcode/create', 48001, Number.POSITIVE_INFINITY)
    expect(await (await confirm(await proofFor())).json()).toEqual({
      state: 'bound',
      subscribed: false,
      boundAt: expect.any(Number),
      version: 1,
    })
  })

  test('gives the chat the label and the language of the page', async () => {
    const token = await testServer.client.mintToken({ account: 'acme', userId: 'u1', label: 'amy@example.com' })
    const body = { proof: await proofFor() }
    await testServer.widget('POST', '/oauth/confirm', { token, body, headers: { 'Accept-Language': 'en' } })
    await testServer.phone('amy').follow()
    await testServer.phone('amy').sendText('unbind')
    expect(testServer.phone('amy').chat.at(-1)?.content).toContain('amy@example.com')
  })
})

describe.each<[string, () => Promise<unknown>]>([
  ['Disconnect', () => testServer.client.disconnect({ account: 'acme', userId: 'u1' }).catch(() => {})],
  ['DELETE', () => testServer.widget('DELETE', '/binding')],
  ['EraseUser', () => testServer.client.eraseUser({ account: 'acme', userId: 'u1' })],
])('%s', (name, end) => {
  test('closes the state', async () => {
    const location = throughWechat(await urlFor())
    await end()
    const page = await pageAfter(location)
    // An erasure also deletes the URL of the page to return to.
    expect(page).toBe(name === 'EraseUser' ? '' : `${PAGE}#wechat-bind-error=PROOF_EXPIRED`)
  })

  test('closes the proof', async () => {
    const proof = await proofFor()
    await end()
    expect((await confirm(proof)).status).toBe(410)
    expect(await isBound()).toBe(false)
  })

  test('closes the state while WeChat is asked for the openid', async () => {
    testServer.simulator.faults.slow('/sns/oauth2/access_token', 1_000)
    const page = pageAfter(throughWechat(await urlFor()))
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    await end()
    testServer.time.advance(1_000)
    expect(await page).toBe(`${PAGE}#wechat-bind-error=PROOF_EXPIRED`)
    expect(await isBound()).toBe(false)
  })
})

describe.each<[string, () => Promise<unknown>]>([
  ['an unfollow', () => testServer.phone('amy').unfollow()],
  ['解绑 in the chat', () => testServer.phone('amy').sendText('解绑')],
  ['a closed WeChat account', () => testServer.phone('amy').closeAccount()],
])('%s', (_, end) => {
  test('closes the proofs of the WeChat user', async () => {
    await testServer.phone('amy').follow()
    const proof = await proofFor()
    await end()
    expect((await confirm(proof)).status).toBe(410)
  })
})

describe('WECHAT_VERIFY_FILE', () => {
  test('is served at the root with its exact content, even if there are several', async () => {
    await open({
      WECHAT_VERIFY_FILE: 'MP_verify_a1B2.txt:a1B2,MP_verify_x.txt:content:with-colon',
      WECHAT_OAUTH: 'off',
    })
    const response = await testServer.app.request('http://bind.test/MP_verify_a1B2.txt')
    expect(response.headers.get('Content-Type')).toContain('text/plain')
    expect(await response.text()).toBe('a1B2')
    expect(await (await testServer.app.request('http://bind.test/MP_verify_x.txt')).text()).toBe('content:with-colon')
    expect((await testServer.app.request('http://bind.test/MP_verify_y.txt')).status).toBe(404)
  })
})
