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
import type { Notice, Outbox, ReceiverState, Room } from '../store/outbox.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createBatchWrites } from './batch-writes.ts'
import { createWakeLoop } from './wake-loop.ts'
import { createWebhookLog } from './webhook-log.ts'
import { toPayload } from './webhook-payload.ts'
import { sendWebhook } from './webhook-request.ts'
import { pausedUntil, type Refusal, retryAt } from './webhook-schedule.ts'

type WebhookSender = {
  /** Called after a commit. The outbox is then read soon. */
  wake(): void
  /** Aborts the deliveries in flight, which become due at once. Another instance may take over. */
  close(): Promise<void>
}

type WebhookDeps = {
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

// Longer than a request takes, including the write of its outcome.
const CLAIM_MS = 45_000

// The lease is renewed after half of this time.
const LEASE_MS = 10_000

// How often the queues are read if nothing wakes the loop, because other instances and commands change the queues too.
const POLL_MS = 1_000

// How often the outbox is read while an event waits for its unionid.
const HELD_MS = 200

// The pause after an error of the store.
const ERROR_MS = 5_000

// Simultaneous requests to one receiver. After a failure a receiver gets one request at a time until it accepts one.
const PER_RECEIVER = 8

// The limit for requests to all receivers that began within the last second. More would delay the callbacks, which use the same CPU.
// A request that takes longer than a second needs no CPU and is not counted. Otherwise hanging receivers would block the others.
const ACTIVE = 48
const ACTIVE_MS = 1_000

// How long accepted notices are collected. They are removed by one write, and one claim then takes the next notices.
const COLLECT_MS = 10

// The number of rows that one transaction adds to the queues. More rows would delay callbacks on SQLite, which has one connection.
const ROWS_PER_DISPATCH = 512

export function createWebhookSender(deps: WebhookDeps): WebhookSender {
  const { outbox, webhooks, clock, random, setTimer, metrics, holder } = deps
  const report = createWebhookLog(deps.log, clock)
  const inFlight = new Map<string, number>()
  const underway = new Set<Promise<void>>()
  const closing = new AbortController()
  const accepted = createBatchWrites((ids: number[]) => outbox.delivered(ids), setTimer, COLLECT_MS)
  /** The receivers that may have a due notice. */
  const hungry = new Set<string>()
  /** The notices that this instance has added to the queue of each receiver and not claimed yet, as far as it knows. */
  const queued = new Map<string, number>()
  let cancelTimer = () => {}
  let states = new Map<string, ReceiverState>()
  let leasedUntil = 0
  let leaseAt = 0
  let dispatchAt = 0
  let pollAt = 0
  let active = 0

  const loop = createWakeLoop(async () => {
    try {
      await poll()
      const isMore = await dispatch()
      await claim()
      wakeIn(Math.min(pollAt, dispatchAt) - clock())
      return isMore || (hungry.size > 0 && active < ACTIVE)
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

  /** Finds work that does not wake the loop: receivers whose pause is over, and the changes of other instances and commands. */
  async function poll(): Promise<void> {
    const now = clock()
    if (now < pollAt && pollAt <= now + POLL_MS) return
    states = new Map((await outbox.receivers()).map((state) => [state.name, state]))
    for (const { name } of webhooks().all) hungry.add(name)
    pollAt = now + POLL_MS
  }

  async function holdLease(now: number): Promise<boolean> {
    if (now >= leaseAt) {
      const isHeld = await outbox.lease(holder, now, now + LEASE_MS)
      leasedUntil = isHeld ? now + LEASE_MS : 0
      leaseAt = now + (isHeld ? LEASE_MS / 2 : POLL_MS)
    }
    return leasedUntil > now
  }

  /** Returns true if more events can be moved at once. */
  async function dispatch(): Promise<boolean> {
    const now = clock()
    if (now < dispatchAt && dispatchAt <= now + POLL_MS) return false
    dispatchAt = now + POLL_MS
    if (!(await holdLease(now))) return false
    const receivers = webhooks()
    const limit = Math.ceil(ROWS_PER_DISPATCH / Math.max(receivers.all.length, 1))
    const moved = await outbox.dispatch(now, (...event) => namesFor(receivers, ...event), limit)
    for (const name of moved.receivers) {
      queued.set(name, (queued.get(name) ?? 0) + 1)
      hungry.add(name)
    }
    if (moved.heldUntil !== undefined) dispatchAt = Math.min(now + HELD_MS, moved.heldUntil)
    if (moved.isMore) dispatchAt = 0
    return moved.isMore
  }

  async function claim(): Promise<void> {
    if (closing.signal.aborted) return
    const now = clock()
    const receivers = new Map(webhooks().all.map((receiver) => [receiver.name, receiver]))
    const rooms: Room[] = []
    let left = ACTIVE - active
    // The same share for each, so that one claim takes the notices of all receivers of an event.
    const share = Math.ceil(left / hungry.size)
    // Receivers that get nothing in this step stay in `hungry`, and are served first in the next step.
    for (const receiver of hungry) {
      if (left <= 0) break
      hungry.delete(receiver)
      const room = Math.min(receivers.has(receiver) ? roomOf(receiver, now) : 0, share, left)
      if (room > 0) rooms.push({ receiver, room })
      left -= Math.max(room, 0)
    }
    const claimed = await outbox.claim(now, now + CLAIM_MS, rooms)
    for (const { receiver, room } of rooms) countClaimed(receiver, room, claimed)
    // All receivers get the same body, so it is made once.
    const bodies = new Map<string, string>()
    for (const notice of claimed) {
      const body = bodies.get(notice.uid) ?? JSON.stringify(toPayload(notice))
      bodies.set(notice.uid, body)
      begin(receivers.get(notice.receiver!)!, notice, body)
    }
  }

  /** Most answers need no further claim, and a claim is a write. After a full claim, more due notices may be left in the store. */
  function countClaimed(name: string, room: number, claimed: Notice[]): void {
    const taken = claimed.filter(({ receiver }) => receiver === name).length
    const isIdle = taken === 0 && (inFlight.get(name) ?? 0) === 0
    const left = isIdle ? 0 : Math.max((queued.get(name) ?? 0) - taken, taken === room ? 1 : 0)
    queued.set(name, left)
  }

  function roomOf(name: string, now: number): number {
    const state = states.get(name)
    if (state && (state.status !== 'on' || (state.pausedUntil ?? 0) > now)) return 0
    const limit = state && state.failures > 0 ? 1 : PER_RECEIVER
    return limit - (inFlight.get(name) ?? 0)
  }

  function begin(receiver: WebhookReceiver, notice: Notice, body: string): void {
    const { name } = receiver
    inFlight.set(name, (inFlight.get(name) ?? 0) + 1)
    active++
    let isActive = true
    const rest = () => {
      if (isActive) active--
      isActive = false
    }
    const wakeIfHungry = () => {
      if (hungry.size > 0) loop.wake()
    }
    const cancelRest = setTimer(() => {
      rest()
      wakeIfHungry()
    }, ACTIVE_MS)
    // Half of the requests are claimed at once: a claim for each answer would be a write for each.
    const endRest = () => {
      cancelRest()
      rest()
      if (active <= ACTIVE / 2) wakeIfHungry()
    }
    const sending = deliver(receiver, notice, body, endRest)
      // The notice becomes due again when its claim ends.
      .catch(report.storeFailed)
      .finally(() => {
        inFlight.set(name, (inFlight.get(name) ?? 1) - 1)
        underway.delete(sending)
        if ((queued.get(name) ?? 0) > 0) hungry.add(name)
        endRest()
        wakeIfHungry()
      })
    underway.add(sending)
  }

  async function deliver(receiver: WebhookReceiver, notice: Notice, body: string, onAnswer: () => void): Promise<void> {
    const message = { id: notice.uid, body }
    const answer = await sendWebhook(deps, receiver, message, closing.signal)
    onAnswer()
    if (answer.accepted) {
      metrics.webhooks.inc({ outcome: 'taken' })
      await accepted.add(notice.id)
      return noteAccepted(receiver.name)
    }
    // `close` has aborted the request.
    if (answer.failure.status === null && closing.signal.aborted) return outbox.unclaim(notice.id, clock())
    metrics.webhooks.inc({ outcome: 'refused' })
    await saveRefusal(receiver.name, notice, answer)
  }

  async function saveRefusal(name: string, notice: Notice, refusal: Refusal): Promise<void> {
    const now = clock()
    const { failure } = refusal
    const failures = (states.get(name)?.failures ?? 0) + 1
    const isGone = failure.status === 410
    const before = states.get(name)?.status ?? 'on'
    const paused = pausedUntil(now, failures, refusal, random())
    const state = await outbox.receiverFailed({ name, now, failure, isGone, pausedUntil: paused })
    states.set(name, state)
    const next = retryAt(now, notice.attempts + 1, refusal, random())
    if (next === undefined) await outbox.giveUp(notice.id, failure)
    else await outbox.retryAt(notice.id, next, failure)
    report.refused(name, failure, next)
    if (before === 'on' && state.status !== 'on') report.switchedOff(state)
  }

  async function noteAccepted(name: string): Promise<void> {
    const state = states.get(name)
    if (!state || state.failures === 0 || state.status !== 'on') return
    states.set(name, { ...state, failingSince: null, failures: 0, pausedUntil: null })
    await outbox.receiverAccepted(name)
    report.acceptsAgain(name)
  }

  wakeIn(0)
  return {
    wake() {
      dispatchAt = 0
      loop.wake()
    },
    async close() {
      closing.abort()
      accepted.close()
      cancelTimer()
      await loop.close()
      await Promise.all(underway)
      await outbox.release(holder).catch(() => {})
    },
  }
}

const namesFor = (receivers: WebhookReceivers, tenant: string, type: Notice['type']): string[] =>
  receivers
    .of(tenant)
    .filter(({ types }) => types === undefined || types.includes(`binding.${type}`))
    .map(({ name }) => name)
