import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bindAmy, clientOf, lin, makeFolder, start, stop } from './demo-fixture.ts'

describe('startDemo', () => {
  test('binds over real HTTP between server and WeChat, and the chat displays the decrypted reply', async () => {
    const demo = await start()
    await bindAmy(demo)
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({
      IsBound: true,
      OpenId: demo.simulator.phone('amy').openid,
    })
    expect(demo.simulator.phone('amy').chat).toMatchObject([
      { from: 'account', content: expect.stringContaining('li***@example.com') },
    ])
  })

  test('unbinds when the person unfollows', async () => {
    const demo = await start()
    await bindAmy(demo)
    await demo.simulator.phone('amy').unfollow()
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: false, OpenId: null })
  })

  test.each(['secure', 'compatible', 'plain'])(
    'passes WeChat’s check of the callback URL, in %s mode',
    async (mode) => {
      const demo = await start(undefined, { WECHAT_MODE: mode })
      expect(await demo.simulator.verifyCallbackUrl()).toBeUndefined()
      await bindAmy(demo)
      expect((await clientOf(demo).getBindInfo(lin)).IsBound).toBe(true)
    },
  )

  test('checks its callback URL at the start, as WeChat’s console does when the URL is saved', async () => {
    const demo = await start()
    expect(demo.wire.since(0)).toMatchObject([{ kind: 'check', status: 200, fault: '' }])
  })

  test('serves the console at /console with a token for each role, and counts the bindings of the demo there', async () => {
    const demo = await start()
    const at = (path: string, init?: RequestInit) => fetch(`${demo.url}/console/${path}`, init)
    const { offers } = (await (await at('api/session')).json()) as { offers: { role: string; token: string }[] }
    expect(offers.map(({ role }) => role)).toEqual(['viewer', 'operator'])
    const signedIn = await at('api/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token: offers[0]!.token }),
    })
    const [cookie = ''] = signedIn.headers.getSetCookie()
    expect(cookie).toContain('; Path=/; ')
    await bindAmy(demo)
    const overview = await at('api/overview', { headers: { cookie } })
    expect(await overview.json()).toMatchObject({ funnel: { shown: 1, bound: 1 } })
  })

  test('does not reuse ids of the traffic log after a restart', async () => {
    const folder = makeFolder()
    const first = await start(folder)
    await bindAmy(first)
    await stop(first)
    const second = await start(folder)
    await bindAmy(second)
    const [before, after] = [first, second].map(({ wire }) => wire.since(0).map(({ id }) => id))
    expect(Math.min(...after!)).toBeGreaterThan(Math.max(...before!))
  })

  test('keeps bindings, followers and chats when it restarts', async () => {
    const folder = makeFolder()
    const first = await start(folder)
    await bindAmy(first)
    await stop(first)
    const second = await start(folder)
    expect((await clientOf(second).getBindInfo(lin)).OpenId).toBe(second.simulator.phone('amy').openid)
    expect(second.simulator.phone('amy').chat).toHaveLength(1)
    await second.simulator.phone('amy').unfollow()
    expect((await clientOf(second).getBindInfo(lin)).IsBound).toBe(false)
  })

  test('starts with a new state when the file of the saved state is damaged', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'demo.json'), '{"account"')
    const demo = await start(folder)
    expect((await clientOf(demo).getBindInfo(lin)).IsBound).toBe(false)
    await bindAmy(demo)
    expect((await clientOf(demo).getBindInfo(lin)).IsBound).toBe(true)
  })

  test('closes at once, even while pages poll', async () => {
    const demo = await start()
    const stream = await fetch(`${demo.url}/simulator/control/stream`)
    await stop(demo)
    await stream.text()
    await expect(fetch(demo.url)).rejects.toThrow(TypeError)
  })

  test('rejects an invalid setting before it opens the port', async () => {
    const { url } = await start()
    const wrong = start(makeFolder(), { TICKET_TTL: '1', PORT: new URL(url).port })
    await expect(wrong).rejects.toThrow('TICKET_TTL')
  })
})

describe('createHttpApp', () => {
  test('serves the page with a strict content policy', async () => {
    const { url } = await start()
    const page = await fetch(url)
    const policy = page.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'",
    )
    expect(policy).not.toContain('unsafe')
    expect(await page.text()).toContain('<title>page</title>')
  })

  test('serves the page’s assets as immutable, and the element with no-cache', async () => {
    const { url } = await start()
    const cacheOf = async (path: string) => (await fetch(`${url}${path}`)).headers.get('Cache-Control')
    expect(await cacheOf('/assets/page-1a2b.js')).toBe('public, max-age=31536000, immutable')
    expect(await cacheOf('/cdn/wechat-bind.js')).toBe('no-cache')
  })

  test.each([
    ['/healthz', 200],
    ['/widget/binding', 401],
    ['/host/bind-info?user=lin', 200],
    ['/simulator/control/state', 200],
    ['/simulator/cgi-bin/getcallbackip', 200],
    ['/assets/none.js', 404],
    ['/cdn/../demo.json', 404],
    ['/nothing', 404],
  ])('answers %s with %i', async (path, status) => {
    expect((await fetch(`${(await start()).url}${path}`)).status).toBe(status)
  })
})
