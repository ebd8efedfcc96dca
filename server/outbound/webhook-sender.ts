/** Tells the tenants of each change until it is taken: at least once, in order per user, by one sender at a time. */
import { Webhook as Signer } from 'standardwebhooks'
import type { WebhookReceiver, WebhookReceivers } from '../config/webhook-receivers.ts'
import type { Fetch, Log } from '../platform.ts'
import type { Notice, Outbox } from '../store/outbox.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { WebhookPayload } from '../wire.ts'

export type WebhookSender = {
  /** Something was committed: look soon. */
  nudge(): void
  /** Cuts off what is under way, which stays due; another instance may take over at once. */
  close(): Promise<void>
}

export type WebhookDeps = {
  outbox: Outbox
  webhooks: WebhookReceivers
  tenants: () => string[]
  fetch: Fetch
  clock: () => number
  /** 0 to 1. */
  random: () => number
  setTimer: (run: () => void, ms: number) => () => void
  metrics: Metrics
  log: Log
  /** This instance, as no other is called. */
  holder: string
}

// A receiver that needs longer takes the work before it does it, or gets it again.
const TIMEOUT_MS = 10_000

const FIRST_RETRY_MS = 5_000
const GROWTH = 3
const LONGEST_PAUSE_MS = 3 * 60 * 60_000
const GIVE_UP_MS = 24 * 60 * 60_000

// Longer than a batch takes at worst, so that a slow receiver never has two senders.
const LEASE_MS = 30_000

// While another instance sends, or nothing waits, this is how often we look.
const IDLE_MS = 5_000

// A tenant whose receiver is dead holds no more than this; the others go on.
const PER_TENANT = 4

export function createWebhookSender(deps: WebhookDeps): WebhookSender {
  const { outbox, clock, setTimer, log, holder } = deps
  const busy = new Map<string, number>()
  const underway = new Map<number, Promise<void>>()
  const closing = new AbortController()
  let cancelTimer = () => {}
  let looking: Promise<void> | undefined
  let isNudged = false

  function lookIn(ms: number): void {
    cancelTimer()
    if (!closing.signal.aborted) cancelTimer = setTimer(nudge, ms)
  }

  function nudge(): void {
    isNudged = true
    looking ??= look()
  }

  async function look(): Promise<void> {
    while (isNudged && !closing.signal.aborted) {
      isNudged = false
      await sendDue().catch((error) => {
        log.warn({ code: error.code }, 'the webhook outbox could not be read; the next look tries again')
        lookIn(IDLE_MS)
      })
    }
    // In the same turn as the last look at `isNudged`, so that no nudge falls between.
    looking = undefined
  }

  async function sendDue(): Promise<void> {
    const now = clock()
    if (!(await outbox.lease(holder, now, now + LEASE_MS))) return lookIn(IDLE_MS)
    // What is under way is still due, also where it ends before the outbox has answered: it is not sent a second time.
    const sending = new Set(underway.keys())
    const due = await outbox.due(now, deps.tenants().filter(hasRoom), PER_TENANT + sending.size)
    for (const notice of due) if (!sending.has(notice.id) && hasRoom(notice.identity.tenant)) begin(notice)
    const nextAt = await outbox.nextAt(deps.tenants())
    lookIn(nextAt === undefined ? IDLE_MS : Math.min(Math.max(nextAt - clock(), 100), IDLE_MS))
  }

  const hasRoom = (tenant: string) => (busy.get(tenant) ?? 0) < PER_TENANT

  function begin(notice: Notice): void {
    const { tenant } = notice.identity
    busy.set(tenant, (busy.get(tenant) ?? 0) + 1)
    const sending = deliver(notice)
      .finally(() => {
        busy.set(tenant, (busy.get(tenant) ?? 1) - 1)
        underway.delete(notice.id)
      })
      .then(nudge, (error) => {
        log.warn({ code: error.code }, 'the outcome of a webhook delivery could not be kept')
        // It still looks due: a store that takes nothing must not make us send it again and again.
        lookIn(IDLE_MS)
      })
    underway.set(notice.id, sending)
  }

  async function deliver(notice: Notice): Promise<void> {
    const webhook = deps.webhooks.find(notice.identity.tenant)
    if (!webhook) return outbox.giveUp(notice.id)
    const isTaken = await send(deps, webhook, notice, closing.signal)
    // Cut off by our own end: it stays due, and the next sender tells it.
    if (!isTaken && closing.signal.aborted) return
    deps.metrics.webhooks.inc({ outcome: isTaken ? 'taken' : 'refused' })
    if (isTaken) return outbox.delivered(notice.id)
    const now = clock()
    return now - notice.at >= GIVE_UP_MS
      ? outbox.giveUp(notice.id)
      : outbox.retryAt(notice.id, now + pauseMs(notice.attempts, deps.random()))
  }

  lookIn(0)
  return {
    nudge,
    async close() {
      closing.abort()
      cancelTimer()
      await looking
      await Promise.all(underway.values())
      await outbox.release(holder).catch(() => {})
    },
  }
}

/** 5 s, 15 s, 45 s … 3 h, each up to a fifth longer or shorter, so that a receiver that recovers is not run over. */
export const pauseMs = (attempts: number, chance: number) =>
  Math.round(Math.min(FIRST_RETRY_MS * GROWTH ** attempts, LONGEST_PAUSE_MS) * (0.8 + 0.4 * chance))

async function send(
  { fetch, clock }: WebhookDeps,
  webhook: WebhookReceiver,
  notice: Notice,
  closing: AbortSignal,
): Promise<boolean> {
  const id = `evt_${notice.id}`
  const body = JSON.stringify(toPayload(notice))
  const now = new Date(clock())
  const headers = {
    'Content-Type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Signer(webhook.secret).sign(id, now, body),
  }
  const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closing])
  try {
    const response = await fetch(webhook.url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

function toPayload(notice: Notice): WebhookPayload {
  const { tenant: Tenant, account: Account, userId: User_ID } = notice.identity
  const ids = { OpenId: notice.openid, UnionId: notice.unionid, AppId: notice.appId }
  return {
    type: `binding.${notice.type}`,
    timestamp: new Date(notice.at).toISOString(),
    data: {
      Tenant,
      Account,
      User_ID,
      ...(notice.type === 'bound' ? ids : {}),
      Version: notice.version,
      Reason: notice.reason,
    },
  }
}
