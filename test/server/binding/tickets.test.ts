import { expect, test } from 'vitest'
import { eraseUser } from '../../../server/binding/erase.ts'
import { createTickets } from '../../../server/binding/tickets.ts'
import { unbind } from '../../../server/binding/unbind.ts'
import { BindError } from '../../../server/errors.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { WechatApi } from '../../../server/wechat/api.ts'
import { createEmptyPool, createTicketsConcurrently } from '../../support/concurrent-tickets.ts'

const amy = { tenant: 'default', account: 'acme', userId: 'amy' }
const limits = { qrPerMinute: 9, qrPerHour: 9, qrPerDay: 9, tenantQrPerMinute: 9, tenantQrPerDay: 9 }

const openStore = () =>
  openSqliteStore({ file: ':memory:', hashOf: (...parts) => parts.join(), hasWebhook: () => false })

/** The tickets of a server whose QR codes all come from `createQrcode`. */
const ticketsFrom = (
  deps: Pick<Parameters<typeof createTickets>[0], 'store' | 'clock'>,
  createQrcode: WechatApi['createQrcode'],
) =>
  createTickets({
    ...deps,
    ...limits,
    qrcodes: createEmptyPool(createQrcode, 120_000),
    appId: 'wx1',
    ticketTtlMs: 120_000,
  })

test('two simultaneous requests for one user get the same ticket, and only this ticket can be scanned', async () => {
  const store = await openStore()
  const [one, other] = await createTicketsConcurrently([store, store], amy, false)
  expect(one).toEqual(other)
  expect(await store.liveTicket(amy, Date.now())).toEqual(one)
  // Each refresh gets a new ticket, and only the last ticket stays valid.
  const [first, second] = await createTicketsConcurrently([store, store], amy, true)
  expect(first?.id).not.toBe(second?.id)
  expect(await store.liveTicket(amy, Date.now())).toMatchObject({ id: Math.max(first!.id, second!.id) })
  await store.close()
})

test.each([
  ['a Disconnect', 'disconnect'],
  ['an erasure', 'erase'],
] as const)('a QR code that WeChat makes during %s is replaced by a later QR code', async (_, how) => {
  const store = await openStore()
  const deps = { store, clock: Date.now, afterCommit() {} }
  const scenes: string[] = []
  const createQrcode: WechatApi['createQrcode'] = async (scene) => {
    scenes.push(scene)
    if (scenes.length === 1) await (how === 'erase' ? eraseUser(deps, amy) : unbind(deps, amy, 'disconnect'))
    if (how === 'erase') await store.purgeErased(Date.now())
    return { ticket: scene, url: scene, expireSeconds: 120 }
  }
  const tickets = ticketsFrom(deps, createQrcode)
  const ticket = await tickets({ identity: amy, isRefresh: false, label: null, lang: 'en', isPage: false })
  expect(scenes).toHaveLength(2)
  expect(ticket.scene).toBe(scenes[1])
  expect(await store.write((tx) => tx.ticketByScene(scenes[0]!))).toBeUndefined()
  expect(await store.liveTicket(amy, Date.now())).toMatchObject({ scene: scenes[1] })
  await store.close()
})

test('a ticket that a Disconnect closes while WeChat refuses a new QR code is not shown again', async () => {
  const store = await openStore()
  let now = 1_800_000_000_000
  const deps = { store, clock: () => now, afterCommit() {} }
  let closes = false
  const createQrcode: WechatApi['createQrcode'] = async (scene) => {
    if (now === 1_800_000_000_000) return { ticket: scene, url: scene, expireSeconds: 120 }
    if (closes) await unbind(deps, amy, 'disconnect')
    throw new BindError('WECHAT_UNAVAILABLE', 'WeChat does not answer.')
  }
  const tickets = ticketsFrom(deps, createQrcode)
  const request = { identity: amy, isRefresh: false, label: null, lang: 'en', isPage: false } as const
  const ticket = await tickets(request)
  // The ticket can still be shown at this time, but is not reused.
  now += 110_000
  expect(await tickets(request)).toEqual(ticket)
  closes = true
  await expect(tickets(request)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
  await store.close()
})
