/**
 * Lets two instances request a QR code for the same user at the same time. Both requests reach WeChat before one of the
 * instances has stored its ticket.
 */
import { createQrcodePool, type QrcodePool } from '../../server/binding/qrcode-pool.ts'
import { createTickets } from '../../server/binding/tickets.ts'
import type { Identity, Store, Ticket } from '../../server/store/store.ts'
import type { WechatApi } from '../../server/wechat/api.ts'
import { createFakeTime } from './fake-time.ts'

export async function createTicketsConcurrently(
  stores: [Store, Store],
  identity: Identity,
  isRefresh: boolean,
): Promise<Ticket[]> {
  const { promise: allRequested, resolve } = Promise.withResolvers<void>()
  let requests = 0
  const createQrcode: WechatApi['createQrcode'] = async (scene, expireSeconds) => {
    if (++requests === stores.length) resolve()
    await allRequested
    return { ticket: `t${scene}`, url: `http://weixin.qq.com/q/${scene}`, expireSeconds }
  }
  const limits = {
    ticketTtlMs: 120_000,
    qrPerMinute: 10,
    qrPerHour: 60,
    qrPerDay: 200,
    tenantQrPerMinute: 100,
    tenantQrPerDay: 1000,
  }
  return Promise.all(
    stores.map((store) => {
      const qrcodes = createEmptyPool(createQrcode, limits.ticketTtlMs)
      const tickets = createTickets({ ...limits, store, qrcodes, clock: Date.now, appId: 'wx1' })
      return tickets({ identity, isRefresh, label: null, lang: 'en', isPage: true })
    }),
  )
}

/** Creates a pool that holds no QR codes, so that each QR code is requested when it is needed. */
export function createEmptyPool(createQrcode: WechatApi['createQrcode'], ticketTtlMs: number): QrcodePool {
  const { clock, setTimer } = createFakeTime()
  return createQrcodePool({
    qrReady: 0,
    ticketTtlMs,
    wechat: { createQrcode },
    clock,
    setTimer,
    onTake() {},
    onUnused() {},
  })
}
