import { describe, expect, test } from 'vitest'
import { testUsers } from '../../server/test-users.ts'
import { openHouse } from '../support/house.ts'

describe('refuseTestUser', () => {
  test.each(testUsers)('%s is nobody to a real server, in either API', async (userId) => {
    const house = await openHouse()
    const subject = { account: 'acme', userId }
    await expect(house.client.getQrCode(subject)).rejects.toMatchObject({ code: 'TEST_USER', status: 400 })
    await expect(house.client.getBindInfo(subject)).rejects.toMatchObject({ code: 'TEST_USER' })
    await expect(house.client.disconnect(subject)).rejects.toMatchObject({
      message: `User_ID ${userId} works only with the simulator ("npx wechat-bind demo"): use an id of your own users here.`,
    })
    const token = await house.client.mintToken(subject)
    const answer = await house.widget('POST', '/qrcode', { token, body: {} })
    expect([answer.status, (await answer.json()).code]).toEqual([400, 'TEST_USER'])
  })

  test('lets an id alone that only looks like one', async () => {
    const house = await openHouse()
    const info = await house.client.getBindInfo({ account: 'acme', userId: 'test-slow-lane' })
    expect(info.IsBound).toBe(false)
  })
})
