/**
 * Tests the demo in the mode for a real account. In place of WeChat, it uses a simulator that listens on a port of its
 * own.
 */
import { request } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createSimulator, type Simulator } from '../../demo/simulator/simulator.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { clientOf, lin, makeFolder, start, stop } from './demo-fixture.ts'

let wechat: Awaited<ReturnType<typeof startListening>>
let tencent: Simulator

async function closeWechat(): Promise<void> {
  tencent.close()
  await stopListening(wechat.server)
}

afterEach(closeWechat)

/** The settings of a test account (测试号), which uses plain mode and has no key. */
async function startWithAccount(env: Record<string, string> = {}, folder?: string) {
  tencent = createSimulator({ account: { mode: 'plain' } })
  wechat = await startListening(tencent.app, '127.0.0.1', 0)
  const { appId, appSecret, token } = tencent.account
  const demo = await start(folder, {
    WECHAT_APP_ID: appId,
    WECHAT_APP_SECRET: appSecret,
    WECHAT_TOKEN: token,
    WECHAT_MODE: 'plain',
    WECHAT_API_BASE: wechat.url,
    ...env,
  })
  tencent.setCallbackUrl(`${new URL(demo.url).origin}/wechat/callback`)
  return demo
}

describe('startDemo with a real account', () => {
  test('binds a WeChat user of the account, and records the decrypted callback', async () => {
    const demo = await startWithAccount()
    await tencent.phone('amy').scan((await clientOf(demo).getQrCode(lin)).Url, { follow: true })
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: true, OpenId: tencent.phone('amy').openid })
    const callback = demo.wire.since(0).find(({ kind }) => kind === 'callback')
    expect(callback).toMatchObject({ title: 'subscribe', status: 200, opened: expect.stringContaining('qrscene_wb1_') })
  })

  test('records the calls of WeChat’s API without secrets and tokens', async () => {
    const demo = await startWithAccount()
    await clientOf(demo).getQrCode(lin)
    const calls = demo.wire.since(0).filter(({ kind }) => kind === 'wechat')
    expect(calls.map(({ title }) => title)).toEqual(['/cgi-bin/stable_token', '/cgi-bin/qrcode/create'])
    const text = JSON.stringify(calls)
    const { access_token } = tencent.accessTokens.issueStable()
    expect(text).not.toContain(tencent.account.appSecret)
    expect(text).not.toContain(access_token)
    expect(text).toContain('access_token=…')
  })

  test('has no simulator, no conditions of WeChat and no test users', async () => {
    const demo = await startWithAccount()
    expect((await fetch(`${demo.url}/simulator/control/state`)).status).toBe(404)
    await demo.set({ mode: 'secure', errcode: '48001' })
    await clientOf(demo).getQrCode(lin)
    expect(await (await fetch(`${demo.url}/demo/conditions`)).json()).toMatchObject({ isReal: true })
    await expect(clientOf(demo).getBindInfo({ ...lin, userId: 'test-slow' })).rejects.toMatchObject({
      code: 'TEST_USER',
    })
  })
})

describe('the path of the demo with a real account', () => {
  test('is secret, and only the callback, the widget API and the element’s file are outside of it', async () => {
    const demo = await startWithAccount()
    const { origin, pathname } = new URL(demo.url)
    expect(pathname).toMatch(/^\/[\w-]{22}$/)
    const answerTo = async (path: string) => {
      const response = await fetch(origin + path)
      return [
        path,
        response.status,
        (await response.text()).startsWith('Not found. Open the URL that the demo printed'),
      ]
    }
    const inside = [
      '/',
      '/api.html',
      '/playground',
      '/custom-elements.json',
      '/assets/page-1a2b.js',
      '/cdn/wechat-bind.js',
      '/demo/conditions',
      '/demo/wire',
      '/demo/stream',
      '/host/token?user=lin',
      '/host/bind-info?user=lin',
      '/simulator/control/wire',
      '/api/WeChat/GetBindInfo',
      '/metrics',
      '/readyz',
      '/openapi.json',
    ]
    const wrongSecret = pathname.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    for (const path of [...inside, `${wrongSecret}/demo/wire`, `/${pathname}/demo/wire`, '/widget/../demo/wire']) {
      expect(await answerTo(path)).toEqual([path, 404, true])
    }
    expect(await answerTo('/widget/binding')).toEqual(['/widget/binding', 401, false])
    expect(await answerTo('/wechat/callback')).toEqual(['/wechat/callback', 403, false])
    expect(await answerTo('/wechat-bind.js')).toEqual(['/wechat-bind.js', expect.any(Number), false])
  })

  test('serves the page and the whole demo, and a request without the last slash is redirected', async () => {
    const demo = await startWithAccount()
    const page = await fetch(`${demo.url}?lang=en`)
    expect([page.status, page.url]).toEqual([200, `${demo.url}/?lang=en`])
    expect(await page.text()).toContain('<title>page</title>')
    const put = { method: 'PUT', body: '{"confirm":"code"}' }
    expect(await (await fetch(`${demo.url}/demo/conditions`, put)).json()).toMatchObject({
      conditions: { confirm: 'code' },
    })
    for (const path of ['/demo/wire', '/host/bind-info?user=lin', '/cdn/wechat-bind.js', '/healthz']) {
      expect([path, (await fetch(demo.url + path)).status]).toEqual([path, 200])
    }
  })

  test('is part of the URL to which the bind server sends webhooks', async () => {
    const demo = await startWithAccount()
    await tencent.phone('amy').scan((await clientOf(demo).getQrCode(lin)).Url, { follow: true })
    const webhook = () => demo.wire.since(0).find(({ kind, isPending }) => kind === 'webhook' && !isPending)
    await expect.poll(webhook).toMatchObject({ title: 'binding.bound', status: 204 })
  })

  test('does not replace the checks of `Host` and `Origin`, which still refuse foreign values', async () => {
    const demo = await startWithAccount()
    const Origin = 'https://evil.example'
    const put = await fetch(`${demo.url}/demo/conditions`, { method: 'PUT', body: '{}', headers: { Origin } })
    expect(put.status).toBe(403)
    const status = await new Promise((resolve, reject) => {
      const options = { headers: { Host: 'evil.example' }, agent: false }
      request(`${demo.url}/demo/wire`, options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(403)
  })

  test('stays the same after a restart, and is part of the printed URL when PUBLIC_URL is set', async () => {
    const folder = makeFolder()
    const first = await startWithAccount({}, folder)
    await stop(first)
    await closeWechat()
    const second = await startWithAccount({ PUBLIC_URL: 'https://demo.example' }, folder)
    const { pathname } = new URL(second.url)
    expect(pathname).toBe(new URL(first.url).pathname)
    expect(second.networkUrls).toEqual([`https://demo.example${pathname}`])
  })
})
