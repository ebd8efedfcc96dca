/** Gives a user a ticket: the live one, or a new one from WeChat. */
import { BindError } from '../errors.ts'
import type { Identity, Language, NewTicket, Store, TicketWithQr } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'
import { createRateLimit } from './rate-limit.ts'
import { createCode, createScene, isReusable, isShowable } from './ticket.ts'

export type TicketRequest = {
  identity: Identity
  /** Makes a new ticket even though one lives; the old one stops working. */
  isRefresh: boolean
  label: string | null
  lang: Language
}

export type TicketDeps = {
  store: Store
  wechat: WechatApi
  clock: () => number
  appId: string
  ticketTtlMs: number
  qrPerMinute: number
  /** For all users of a tenant together, on this instance. */
  tenantQrPerMinute: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

// Three tickets of three tries are nine guesses at 10,000 digits an hour.
const DEAD_TICKETS_AN_HOUR = 3

/** One function for every caller; requests that arrive together for one user share one call to WeChat. */
export function createTickets(deps: TicketDeps) {
  const flights = new Map<string, Promise<TicketWithQr>>()
  const hasTenantRoom = createRateLimit(deps.tenantQrPerMinute, deps.clock)

  async function issue(request: TicketRequest): Promise<TicketWithQr> {
    const now = deps.clock()
    const live = await deps.store.liveTicket(request.identity, now)
    if (live && !request.isRefresh && isReusable(live, now)) return live
    try {
      await expectRoom(deps, request.identity, now)
      if (!hasTenantRoom(request.identity.tenant))
        throw tooMany('The tenant has had all the new QR codes of this minute.', 60)
      return await make(deps, request, live)
    } catch (error) {
      // The old one still works for a while, which beats an error; a refresh was asked to replace it.
      if (live && !request.isRefresh && isShowable(live, deps.clock())) return live
      throw error
    }
  }

  /** The chat calls the account as the page or the back end did last. */
  async function relabelled(live: TicketWithQr, { label, lang }: TicketRequest): Promise<TicketWithQr> {
    if (label === null || label === live.label) return live
    await deps.store.write((tx) => tx.apply({ type: 'relabel', ticket: live.id, label, lang }))
    return { ...live, label, lang }
  }

  return (request: TicketRequest): Promise<TicketWithQr> => {
    const { tenant, account, userId } = request.identity
    const key = JSON.stringify([tenant, account, userId, request.isRefresh])
    const flight = flights.get(key) ?? issue(request).finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight.then((ticket) => relabelled(ticket, request))
  }
}

export type Tickets = ReturnType<typeof createTickets>

async function expectRoom({ store, qrPerMinute }: TicketDeps, identity: Identity, now: number): Promise<void> {
  if ((await store.ticketsSince(identity, now - MINUTE_MS)) >= qrPerMinute) {
    throw tooMany(`A user may have ${qrPerMinute} new QR codes a minute: wait, or show the one there is.`, 60)
  }
  if ((await store.ticketsSince(identity, now - HOUR_MS, 'dead')) >= DEAD_TICKETS_AN_HOUR) {
    throw tooMany('Too many tickets of this user ended by wrong digits: wait an hour.', 3600)
  }
}

const tooMany = (message: string, retryAfterSeconds: number) =>
  new BindError('RATE_LIMITED', message, { retryAfterSeconds })

/** WeChat first, the store second, the answer last: nobody can scan a QR that the store does not know. */
async function make(
  deps: TicketDeps,
  { identity, isRefresh, label, lang }: TicketRequest,
  live: TicketWithQr | undefined,
): Promise<TicketWithQr> {
  const scene = createScene()
  const { ticket, url, expireSeconds } = await deps.wechat.createQrcode(scene, deps.ticketTtlMs / 1000)
  const createdAt = deps.clock()
  const made: NewTicket = {
    appId: deps.appId,
    scene,
    code: createCode(),
    wechatTicket: ticket,
    url,
    label,
    lang,
    createdAt,
    expiresAt: createdAt + Math.min(expireSeconds * 1000, deps.ticketTtlMs),
  }
  return deps.store.write(function* (tx) {
    const ours = yield* tx.addTicket(identity, made, isRefresh)
    if (isRefresh) return ours
    // Another instance may have made one while we asked WeChat: the first counts, so that all pages show the same.
    const first = yield* tx.firstPendingAfter(ours.user, live?.id ?? 0, createdAt)
    if (first === undefined || first.id === ours.id) return ours
    yield* tx.apply({ type: 'close', ticket: ours.id, user: ours.user, as: 'replaced', bumpsVersion: false })
    return first
  })
}
