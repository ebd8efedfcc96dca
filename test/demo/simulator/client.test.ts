import { describe, expect, test } from 'vitest'
import { createSimulatorClient } from '../../../demo/simulator/client.ts'
import { settle } from '../fake-clock.ts'
import { createFixture } from './simulator-fixture.ts'

function createClientFixture() {
  const fixture = createFixture()
  const client = createSimulatorClient('http://wechat.example/', async (url, init) =>
    fixture.simulator.app.request(String(url), init),
  )
  return { ...fixture, client }
}

describe('createSimulatorClient', () => {
  test('scans and follows in one call, sends a text, and unfollows', async () => {
    const { client, showQrcode } = createClientFixture()
    const url = await showQrcode()
    const zoe = client.phone('zoe')
    expect(await zoe.scan({ url, follow: true })).toEqual({ screen: 'chat' })
    await zoe.sendText('你好')
    await zoe.tap('weixin://bizmsgmenu?msgmenuid=1&msgmenucontent=1')
    expect(await zoe.look()).toMatchObject({ person: 'zoe', isFollowing: true, chat: [{}, {}] })
    await zoe.unfollow()
    expect(await zoe.look()).toMatchObject({ isFollowing: false })
  })

  test('withdraws the authorization, and closes the account', async () => {
    const { client, simulator } = createClientFixture()
    await client.phone('amy').follow()
    await client.phone('amy').revokeAuthorization()
    expect(await client.phone('amy').look()).toMatchObject({ isFollowing: true })
    await client.phone('amy').closeAccount()
    expect(await client.phone('amy').look()).toMatchObject({ isFollowing: false })
    await settle()
    expect(simulator.wire.since(0).map(({ title }) => title)).toEqual([
      'subscribe',
      'user_authorization_revoke',
      'user_authorization_cancellation',
    ])
  })

  test('sends the time on the follow page (lingeredMs) with a follow', async () => {
    const { client, showQrcode, simulator } = createClientFixture()
    await showQrcode()
    await client.phone('amy').scan()
    await client.phone('amy').follow({ lingeredMs: 300_000 })
    await settle()
    expect(simulator.wire.since(0).at(-1)?.opened).toContain('<EventKey><![CDATA[]]></EventKey>')
  })

  test('sets and clears faults of WeChat’s API', async () => {
    const { client, stableToken, createQrcode, time } = createClientFixture()
    await client.fail('/cgi-bin/stable_token', 45009, 'always')
    expect((await stableToken()).errcode).toBe(45009)
    await client.setDown(true)
    await client.setCallbackFault('drop')
    await client.slow('*', 1000)
    await client.clearFaults()
    const { access_token } = await stableToken()
    await client.revokeAccessTokens()
    expect((await createQrcode({}, access_token)).errcode).toBe(40001)
    expect(time.waiting()).toBe(0)
  })

  test('expires the newest QR code', async () => {
    const { client, showQrcode } = createClientFixture()
    const url = await showQrcode()
    await client.expireQrcode()
    expect(await client.phone('amy').scan({ url })).toEqual({ screen: 'expired' })
  })

  test('throws an error with the simulator’s reason', async () => {
    const { client } = createClientFixture()
    await expect(client.phone('amy').sendText('hi')).rejects.toThrow('409 amy does not follow the account')
  })
})
