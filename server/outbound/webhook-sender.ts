/**
 * Delivers every change to the webhook of its tenant, at least once and in order for each user. A lease in the store allows one
 * instance at a time to send, so the order is kept with many instances.
 */
import { Webhook as Signer } from 'standardwebhooks'
import type { WebhookReceiver, WebhookReceivers } from '../config/webhook-receivers.ts'
import type { Fetch, Log, SetTimer } from '../platform.ts'
import type { Notice, Outbox } from '../store/outbox.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { WebhookPayload } from '../wire.ts'
import { createWakeLoop } from './wake-loop.ts'

type WebhookSender = {
  /** Called after a commit. The outbox is then read soon. */
  wake(): void
  /** Aborts the deliveries in flight, which stay due. Another instance may take over at once. */
  close(): Promise<void>
}

type WebhookDeps = {
  outbox: Outbox
  webhooks: WebhookReceivers
  tenants: () => string[]
  fetch: Fetch
  /** Epoch ms. */
  clock: () => number
  /** 0 to 1. */
  random: () => number
  setTimer: SetTimer
  metrics: Metrics
  log: Log
  /** The unique name of this instance in the lease. */
  holder: string
}

// A receiver that needs more time should answer first and do the work later. Otherwise it gets the same delivery again.
const TIMEOUT_MS = 10_000

const FIRST_RETRY_MS = 5_000
const GROWTH = 3
const MAX_PAUSE_MS = 3 * 60 * 60_000
const GIVE_UP_MS = 24 * 60 * 60_000

// This is longer than the slowest batch, so that a slow receiver never gets deliveries from two instances.
const LEASE_MS = 30_000

// How often the outbox is read while another instance holds the lease, or nothing is due.
const IDLE_MS = 5_000

// Simultaneous deliveries for one tenant. The limit prevents a receiver that does not answer from blocking other tenants.
const PER_TENANT = 4

export function createWebhookSender(deps: WebhookDeps): WebhookSender {
  const { outbox, clock, setTimer, log, holder } = deps
  const busy = new Map<string, number>()
  const underway = new Map<number, Promise<void>>()
  const closing = new AbortController()
  let cancelTimer = () => {}

  const loop = createWakeLoop(async () => {
    await sendDue().catch((error) => {
      log.warn({ code: error.code }, 'the webhook outbox could not be read; the server tries again in 5 s')
      wakeIn(IDLE_MS)
    })
    return false
  })

  function wakeIn(ms: number): void {
    cancelTimer()
    if (!closing.signal.aborted) cancelTimer = setTimer(loop.wake, ms)
  }

  async function sendDue(): Promise<void> {
    const now = clock()
    if (!(await outbox.lease(holder, now, now + LEASE_MS))) return wakeIn(IDLE_MS)
    // Deliveries in flight are still due in the outbox. The set is copied, because a delivery may complete before the outbox answers.
    const sending = new Set(underway.keys())
    const due = await outbox.due(now, deps.tenants().filter(hasRoom), PER_TENANT + sending.size)
    for (const notice of due) if (!sending.has(notice.id) && hasRoom(notice.identity.tenant)) begin(notice)
    const nextAt = await outbox.nextAt(deps.tenants())
    wakeIn(nextAt === undefined ? IDLE_MS : Math.min(Math.max(nextAt - clock(), 100), IDLE_MS))
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
      .then(loop.wake, (error) => {
        log.warn({ code: error.code }, 'the outcome of a webhook delivery could not be saved')
        // The notice is still due in the store. Without a pause, it would be delivered again and again while writes fail.
        wakeIn(IDLE_MS)
      })
    underway.set(notice.id, sending)
  }

  async function deliver(notice: Notice): Promise<void> {
    const webhook = deps.webhooks.find(notice.identity.tenant)
    if (!webhook) return outbox.giveUp(notice.id)
    const isTaken = await send(deps, webhook, notice, closing.signal)
    // `close` has aborted the delivery. The notice stays due, and the next sender delivers it.
    if (!isTaken && closing.signal.aborted) return
    deps.metrics.webhooks.inc({ outcome: isTaken ? 'taken' : 'refused' })
    if (isTaken) return outbox.delivered(notice.id)
    const now = clock()
    return now - notice.at >= GIVE_UP_MS
      ? outbox.giveUp(notice.id)
      : outbox.retryAt(notice.id, now + pauseMs(notice.attempts, deps.random()))
  }

  wakeIn(0)
  return {
    wake: loop.wake,
    async close() {
      closing.abort()
      cancelTimer()
      await loop.close()
      await Promise.all(underway.values())
      await outbox.release(holder).catch(() => {})
    },
  }
}

/** 5 s, 15 s, 45 s … 3 h. Each pause is up to a fifth longer or shorter, so that the retries of many notices are spread out. */
export const pauseMs = (attempts: number, chance: number) =>
  Math.round(Math.min(FIRST_RETRY_MS * GROWTH ** attempts, MAX_PAUSE_MS) * (0.8 + 0.4 * chance))

async function send(
  { fetch, clock }: WebhookDeps,
  webhook: WebhookReceiver,
  notice: Notice,
  closing: AbortSignal,
): Promise<boolean> {
  const id = notice.uid
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
      ...(notice.type === 'unbound' ? {} : ids),
      Version: notice.version,
      Reason: notice.reason,
    },
  }
}
