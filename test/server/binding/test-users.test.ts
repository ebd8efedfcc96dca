import { describe, expect, test } from 'vitest'
import { testUsers } from '../../../server/binding/test-users.ts'
import { openTestServer } from '../../support/test-server.ts'

describe('refuseTestUser', () => {
  test.each(testUsers)('refuses %s on a real server, in both APIs', async (userId) => {
    const testServer = await openTestServer()
    const subject = { account: 'acme', userId }
    await expect(testServer.client.getQrCode(subject)).rejects.toMatchObject({ code: 'TEST_USER', status: 400 })
    await expect(testServer.client.getBindInfo(subject)).rejects.toMatchObject({ code: 'TEST_USER' })
    await expect(testServer.client.disconnect(subject)).rejects.toMatchObject({
      message: `User_ID ${userId} works only with the simulator ("npx wechat-bind demo"): use an id of your own users here.`,
    })
    const token = await testServer.client.mintToken(subject)
    const answer = await testServer.widget('POST', '/qrcode', { token, body: {} })
    expect([answer.status, (await answer.json()).code]).toEqual([400, 'TEST_USER'])
  })

  test('accepts an id that only begins like a test user', async () => {
    const testServer = await openTestServer()
    const info = await testServer.client.getBindInfo({ account: 'acme', userId: 'test-slow-lane' })
    expect(info.IsBound).toBe(false)
  })
})
