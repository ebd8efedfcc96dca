/** The demo with a real account: a simulator of the test, on a socket, takes the place of WeChat. */
import { afterEach, describe, expect, test } from 'vitest'
import { createSimulator, type Simulator } from '../../demo/simulator/simulator.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

let wechat: Awaited<ReturnType<typeof startListening>>
let tencent: Simulator

afterEach(async () => {
  tencent.close()
  await stopListening(wechat.server)
})

/** A test account (测试号): plain mode without a key. */
async function startWithAccount() {
  tencent = createSimulator({ account: { mode: 'plain' } })
  wechat = await startListening(tencent.app, '127.0.0.1', 0)
  const { appId, appSecret, token } = tencent.account
  const demo = await start(undefined, {
    WECHAT_APP_ID: appId,
    WECHAT_APP_SECRET: appSecret,
    WECHAT_TOKEN: token,
    WECHAT_MODE: 'plain',
    WECHAT_API_BASE: wechat.url,
  })
  tencent.setCallbackUrl(`${demo.url}/wechat/callback`)
  return demo
}

describe('startDemo with a real account', () => {
  test('binds a WeChat of that account, and records the decrypted callback', async () => {
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

  test('has no simulator, no WeChat conditions and no test users', async () => {
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
