/** Returns the valid ticket of a user, or makes a new ticket with a QR code from WeChat. */
import { identityKey } from '../store/identity.ts'
import type { Identity, Language, NewTicket, Store, TicketEpoch, TicketWithQr } from '../store/store.ts'
import { countAttempt, type QrLimits } from './limits.ts'
import type { QrcodePool } from './qrcode-pool.ts'
import { createCode, isReusable, isShowable } from './ticket.ts'

type TicketRequest = {
  identity: Identity
  /** Makes a new ticket even if the current ticket is valid. The current ticket then stops working. */
  isRefresh: boolean
  label: string | null
  lang: Language
  /** Whether the request comes from a page. The chat then uses the language of that page. */
  isPage: boolean
}

type TicketDeps = QrLimits & {
  store: Store
  qrcodes: QrcodePool
  clock: () => number
  appId: string
  ticketTtlMs: number
  /** Called when a QR code was made for a user of the tenant. */
  onShown?: (tenant: string) => void
}

/** Simultaneous requests for one user share one QR code. */
export function createTickets(deps: TicketDeps) {
  const inFlight = new Map<string, Promise<TicketWithQr>>()

  async function issue(request: TicketRequest): Promise<TicketWithQr> {
    const now = deps.clock()
    const live = await deps.store.liveTicket(request.identity, now)
    if (live && !request.isRefresh && isReusable(live, now)) return live
    try {
      const asked = await countAttempt(deps.store, 'qr', request.identity, deps, now)
      const ticket = await createTicket(deps, request, live, asked)
      if (ticket) return ticket
    } catch (error) {
      // The current ticket still works for a while, so it is returned instead of the error. A refresh must replace the ticket, so
      // a refresh throws.
      const usable = live && !request.isRefresh && (await usableTicket(request.identity))
      if (usable) return usable
      throw error
    }
    // All tickets of the user were closed while WeChat made this one, so the request is repeated. Each repetition needs another
    // closing of all tickets, and the limits count each repetition.
    return issue(request)
  }

  /** Reads the ticket again, because an unbinding may have closed it while WeChat was asked. */
  async function usableTicket(identity: Identity): Promise<TicketWithQr | undefined> {
    const ticket = await deps.store.liveTicket(identity, deps.clock()).catch(() => undefined)
    return ticket && isShowable(ticket, deps.clock()) ? ticket : undefined
  }

  /** Updates the label and language of the ticket, because the chat shows the values of the last request. */
  async function relabelled(live: TicketWithQr, request: TicketRequest): Promise<TicketWithQr> {
    const label = request.label ?? live.label
    const lang = request.isPage ? request.lang : live.lang
    if (label === live.label && lang === live.lang) return live
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

/**
 * Stores the ticket before it is returned, so that the store knows the scene of every QR code that a page shows. WeChat may take
 * seconds to answer. If an unbinding or an erasure has closed the user's tickets meanwhile, nothing is stored or returned,
 * because an earlier QR code must bind nobody.
 */
async function createTicket(
  deps: TicketDeps,
  { identity, isRefresh, label, lang }: TicketRequest,
  live: TicketWithQr | undefined,
  asked: TicketEpoch,
): Promise<TicketWithQr | undefined> {
  const { scene, wechatTicket, url, leftMs } = await deps.qrcodes.take()
  deps.onShown?.(identity.tenant)
  const createdAt = deps.clock()
  const made: NewTicket = {
    appId: deps.appId,
    scene,
    code: createCode(),
    wechatTicket,
    url,
    label,
    lang,
    createdAt,
    expiresAt: createdAt + Math.min(leftMs, deps.ticketTtlMs),
  }
  return deps.store.write(function* (tx) {
    const { user, epoch } = yield* tx.ticketEpoch(identity)
    if (user !== asked.user || epoch !== asked.epoch) return undefined
    const ours = yield* tx.addTicket(identity, made, isRefresh)
    if (isRefresh) return ours
    // Another instance may have made a ticket in the meantime. The first ticket is used, so that all pages show the same QR code.
    const first = yield* tx.firstPendingAfter(ours.user, live?.id ?? 0, createdAt)
    if (first === undefined || first.id === ours.id) return ours
    yield* tx.apply({ type: 'close', ticket: ours.id, user: ours.user, as: 'replaced', bumpsVersion: false })
    return first
  })
}
