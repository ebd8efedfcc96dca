/** Two instances that ask WeChat for a QR of the same user at the same moment: neither has heard of the other's when it asks. */
import { createTickets } from '../../server/binding/tickets.ts'
import type { Identity, Store, Ticket } from '../../server/store/store.ts'
import type { WechatApi } from '../../server/wechat/api.ts'

export async function ticketsOfBoth(stores: [Store, Store], identity: Identity, isRefresh: boolean): Promise<Ticket[]> {
  const { promise: bothHaveAsked, resolve } = Promise.withResolvers<void>()
  let asked = 0
  const createQrcode: WechatApi['createQrcode'] = async (scene, expireSeconds) => {
    if (++asked === stores.length) resolve()
    await bothHaveAsked
    return { ticket: `t${scene}`, url: `http://weixin.qq.com/q/${scene}`, expireSeconds }
  }
  const limits = { ticketTtlMs: 120_000, qrPerMinute: 10, tenantQrPerMinute: 100 }
  return Promise.all(
    stores.map((store) => {
      const wechat = { createQrcode } as WechatApi
      const tickets = createTickets({ ...limits, store, wechat, clock: Date.now, appId: 'wx1' })
      return tickets({ identity, isRefresh, label: null, lang: 'en' })
    }),
  )
}
