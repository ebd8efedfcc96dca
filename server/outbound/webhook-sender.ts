/**
 * Delivers every change to the webhook receivers of its tenant, at least once, and in order for each user and receiver.
 *
 * Steps, in a loop that a commit, an answer and a timer wake:
 * 1. The instance with the lease moves new events from the outbox to the queues of their receivers.
 * 2. Every instance claims due notices of the receivers that have room, so that instances share the work. A claim ends after
 *    `CLAIM_MS`, so the notices of an instance that was killed become due again.
 * 3. The answer of a receiver removes the notice, or sets the time of the next attempt. A receiver that is overloaded or fails
 *    repeatedly gets a pause. A receiver that answers 410 or fails for five days is switched off.
 *
 * Each receiver has its own queue, its own limit of requests in flight (its room) and its own pauses. So a receiver that is slow or
 * down delays no other receiver.
 */
import type { WebhookReceiver, WebhookReceivers } from '../config/webhook-receivers.ts'
import type { Fetch, Log, SetTimer } from '../platform.ts'
import type { Notice, Outbox } from '../store/outbox.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createActiveRequests } from './active-requests.ts'
import { createReceiverQueues } from './receiver-queues.ts'
import { createReceiverStateCache } from './receiver-state-cache.ts'
import { createWakeLoop } from './wake-loop.ts'
import { createWebhookDelivery } from './webhook-delivery.ts'
import { createWebhookDispatcher } from './webhook-dispatcher.ts'
import { createWebhookLog } from './webhook-log.ts'
import { toPayload } from './webhook-payload.ts'

export type WebhookSender = {
  /** Called after a commit. The outbox is then read soon. */
  wake(): void
  /** Aborts the deliveries in flight, which become due at once. Another instance may take over. */
  close(): Promise<void>
}

export type WebhookDeps = {
  outbox: Outbox
  /** The present receivers. */
  webhooks: () => WebhookReceivers
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

// This time is longer than a request takes, including the write of its outcome.
const CLAIM_MS = 45_000

// How often the queues are read if nothing wakes the loop, because other instances and commands change the queues too.
const POLL_MS = 1_000

// The pause after an error of the store.
const ERROR_MS = 5_000

export function createWebhookSender(deps: WebhookDeps): WebhookSender {
  const { outbox, webhooks, clock, setTimer } = deps
  const report = createWebhookLog(deps.log, clock)
  const dispatcher = createWebhookDispatcher(deps)
  const queues = createReceiverQueues()
  const states = createReceiverStateCache(outbox)
  const closing = new AbortController()
  const deliver = createWebhookDelivery({ ...deps, states, report, closing: closing.signal })
  const active = createActiveRequests(setTimer, wakeIfDue)
  const underway = new Set<Promise<void>>()
  let cancelTimer = () => {}
  let pollAt = 0

  const loop = createWakeLoop(async () => {
    try {
      await poll()
      const { receivers, isMore } = await dispatcher.dispatch()
      for (const name of receivers) queues.added(name)
      await claim()
      wakeIn(Math.min(pollAt, dispatcher.nextAt()) - clock())
      return isMore || (queues.isAnyDue() && active.room() > 0)
    } catch (error) {
      report.storeFailed(error)
      wakeIn(ERROR_MS)
      return false
    }
  })

  function wakeIn(ms: number): void {
    cancelTimer()
    if (!closing.signal.aborted) cancelTimer = setTimer(loop.wake, Math.min(Math.max(ms, 0), ERROR_MS))
  }

  function wakeIfDue(): void {
    if (queues.isAnyDue()) loop.wake()
  }

  /** Finds work that does not wake the loop: receivers whose pause is over, and the changes of other instances and commands. */
  async function poll(): Promise<void> {
    const now = clock()
    if (now < pollAt && pollAt <= now + POLL_MS) return
    await states.refresh()
    for (const { name } of webhooks().all) queues.mayBeDue(name)
    pollAt = now + POLL_MS
  }

  async function claim(): Promise<void> {
    if (closing.signal.aborted) return
    const now = clock()
    const receivers = new Map(webhooks().all.map((receiver) => [receiver.name, receiver]))
    const rooms = queues.divide(active.room(), (name) => (receivers.has(name) ? states.limitOf(name, now) : 0))
    const claimed = await outbox.claim(now, now + CLAIM_MS, rooms)
    queues.claimed(rooms, claimed)
    // All receivers get the same body, so it is made once.
    const bodies = new Map<string, string>()
    for (const notice of claimed) {
      const body = bodies.get(notice.uid) ?? JSON.stringify(toPayload(notice))
      bodies.set(notice.uid, body)
      begin(receivers.get(notice.receiver!)!, notice, body)
    }
  }

  function begin(receiver: WebhookReceiver, notice: Notice, body: string): void {
    const { name } = receiver
    queues.requestBegins(name)
    const endActive = active.begin()
    const sending = deliver(receiver, notice, body, endActive)
      // The notice becomes due again when its claim ends.
      .catch(report.storeFailed)
      .finally(() => {
        queues.requestEnds(name)
        underway.delete(sending)
        endActive()
        wakeIfDue()
      })
    underway.add(sending)
  }

  wakeIn(0)
  return {
    wake() {
      dispatcher.wake()
      loop.wake()
    },
    async close() {
      closing.abort()
      cancelTimer()
      await loop.close()
      await Promise.all(underway)
      await dispatcher.close()
    },
  }
}
