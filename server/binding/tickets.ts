/** Returns a ticket for a user: the one that is still valid, or a new one made at WeChat. */
import { BindError } from '../errors.ts'
import { identityKey } from '../store/identity.ts'
import type { Identity, Language, NewTicket, Store, TicketWithQr } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'
import { createRateLimit } from './rate-limit.ts'
import { createCode, createScene, isReusable, isShowable } from './ticket.ts'

type TicketRequest = {
  identity: Identity
  /** Makes a new ticket even if one is valid; the old one stops working. */
  isRefresh: boolean
  label: string | null
  lang: Language
}

type TicketDeps = {
  store: Store
  wechat: WechatApi
  clock: () => number
  appId: string
  ticketTtlMs: number
  qrPerMinute: number
  /** The limit for all users of a tenant together, on this instance. */
  tenantQrPerMinute: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

// Three tickets with three tries each: nine guesses an hour at one of 10,000 codes.
const DEAD_TICKETS_AN_HOUR = 3

/** Requests that arrive together for one user share one call to WeChat. */
export function createTickets(deps: TicketDeps) {
  const inFlight = new Map<string, Promise<TicketWithQr>>()
  const isWithinTenantLimit = createRateLimit(deps.tenantQrPerMinute, deps.clock)

  async function issue(request: TicketRequest): Promise<TicketWithQr> {
    const now = deps.clock()
    const live = await deps.store.liveTicket(request.identity, now)
    if (live && !request.isRefresh && isReusable(live, now)) return live
    try {
      await assertWithinLimits(deps, request.identity, now)
      if (!isWithinTenantLimit(request.identity.tenant))
        throw tooMany('The tenant has reached its limit of new QR codes for this minute: wait a minute.', 60)
      return await createTicket(deps, request, live)
    } catch (error) {
      // The old ticket still works for a while, which is better than an error. A refresh must replace it, so it throws.
      if (live && !request.isRefresh && isShowable(live, deps.clock())) return live
      throw error
    }
  }

  /** The chat shows the label that the page or the back end sent last. */
  async function relabelled(live: TicketWithQr, { label, lang }: TicketRequest): Promise<TicketWithQr> {
    if (label === null || label === live.label) return live
    await deps.store.write((tx) => tx.apply({ type: 'relabel', ticket: live.id, label, lang }))
    return { ...live, label, lang }
  }

  return (request: TicketRequest): Promise<TicketWithQr> => {
    const key = `${identityKey(request.identity)} ${request.isRefresh}`
    const issued = inFlight.get(key) ?? issue(request).finally(() => inFlight.delete(key))
    inFlight.set(key, issued)
    return issued.then((ticket) => relabelled(ticket, request))
  }
}

export type Tickets = ReturnType<typeof createTickets>

async function assertWithinLimits({ store, qrPerMinute }: TicketDeps, identity: Identity, now: number): Promise<void> {
  if ((await store.ticketsSince(identity, now - MINUTE_MS)) >= qrPerMinute) {
    throw tooMany(`The limit is ${qrPerMinute} new QR codes per user and minute: wait, or show the current one.`, 60)
  }
  if ((await store.ticketsSince(identity, now - HOUR_MS, 'dead')) >= DEAD_TICKETS_AN_HOUR) {
    throw tooMany('Wrong digits ended 3 tickets of this user within an hour: wait an hour.', 3600)
  }
}

const tooMany = (message: string, retryAfterSeconds: number) =>
  new BindError('RATE_LIMITED', message, { retryAfterSeconds })

/** Calls WeChat, then stores the ticket, then returns it, so that no QR is shown whose scene the store does not know. */
async function createTicket(
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
    // Another instance may have made a ticket meanwhile: the first one counts, so that all pages show the same QR.
    const first = yield* tx.firstPendingAfter(ours.user, live?.id ?? 0, createdAt)
    if (first === undefined || first.id === ours.id) return ours
    yield* tx.apply({ type: 'close', ticket: ours.id, user: ours.user, as: 'replaced', bumpsVersion: false })
    return first
  })
}
