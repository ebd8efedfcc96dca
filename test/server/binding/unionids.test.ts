import { expect, test } from 'vitest'
import { createUnionids } from '../../../server/binding/unionids.ts'
import type { Change, Store } from '../../../server/store/store.ts'
import type { WechatApi } from '../../../server/wechat/api.ts'
import { createTestLog } from '../../support/house.ts'
import { newBinding } from '../../support/rows.ts'

test('createUnionids fetches for all who were bound, four at a time', async () => {
  let underway = 0
  let most = 0
  const kept: string[] = []
  const wechat = {
    async getUnionid(openid: string) {
      most = Math.max(most, ++underway)
      await new Promise(setImmediate)
      underway--
      if (openid === 'o3') throw new Error('refused')
      return `u-${openid}`
    },
  } as WechatApi
  const store = { setUnionid: async (_user: number, openid: string) => void kept.push(openid) } as unknown as Store
  const unionids = createUnionids({ store, wechat, log: createTestLog() })
  const openids = Array.from({ length: 20 }, (_, i) => `o${i}`)
  unionids.follow(
    openids.map((openid, i): Change => ({ type: 'bind', user: i, binding: newBinding(openid), reason: 'scan', at: 0 })),
  )
  await unionids.idle()
  expect(most).toBe(4)
  expect(kept.sort()).toEqual(openids.filter((openid) => openid !== 'o3').sort())
})
