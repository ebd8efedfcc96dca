/** Makes one attempt to deliver a notice. Saves the outcome for the notice and for the state of its receiver. */
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import type { Fetch, SetTimer } from '../platform.ts'
import type { Notice, Outbox } from '../store/outbox.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createBatchWrites } from './batch-writes.ts'
import type { ReceiverStateCache } from './receiver-state-cache.ts'
import type { createWebhookLog } from './webhook-log.ts'
import { sendWebhook } from './webhook-request.ts'
import { pausedUntil, type Refusal, retryAt } from './webhook-schedule.ts'

/** Calls `onAnswer` before the outcome is saved. Rejects if the store fails. */
type Deliver = (receiver: WebhookReceiver, notice: Notice, body: string, onAnswer: () => void) => Promise<void>

type DeliveryDeps = {
  outbox: Pick<Outbox, 'delivered' | 'unclaim' | 'retryAt' | 'giveUp'>
  states: ReceiverStateCache
  report: ReturnType<typeof createWebhookLog>
  fetch: Fetch
  clock: () => number
  random: () => number
  setTimer: SetTimer
  metrics: Metrics
  /** Aborts the requests in flight, whose notices become due at once. */
  closing: AbortSignal
}

// How long accepted notices are collected. One write then removes them, and one claim takes the next notices.
const COLLECT_MS = 10

export function createWebhookDelivery(deps: DeliveryDeps): Deliver {
  const { outbox, states, report, clock, random, setTimer, metrics, closing } = deps
  const accepted = createBatchWrites((ids: number[]) => outbox.delivered(ids), setTimer, COLLECT_MS)
  closing.addEventListener('abort', () => accepted.close())

  async function saveAccepted(name: string, notice: Notice): Promise<void> {
    metrics.webhooks.inc({ outcome: 'taken' })
    await accepted.add(notice.id)
    if (await states.accepted(name, clock())) report.acceptsAgain(name)
  }

  async function saveRefusal(name: string, notice: Notice, refusal: Refusal): Promise<void> {
    metrics.webhooks.inc({ outcome: 'refused' })
    const now = clock()
    const { failure } = refusal
    const { state, isSwitchedOff } = await states.failed({
      name,
      now,
      failure,
      isGone: failure.status === 410,
      pausedUntil: pausedUntil(now, states.failuresOf(name) + 1, refusal, random()),
    })
    const next = retryAt(now, notice.attempts + 1, refusal, random())
    if (next === undefined) await outbox.giveUp(notice.id, failure)
    else await outbox.retryAt(notice.id, next, failure)
    report.refused(state, failure, next)
    if (isSwitchedOff) report.switchedOff(state)
  }

  return async (receiver, notice, body, onAnswer) => {
    const answer = await sendWebhook(deps, receiver, { id: notice.uid, body }, closing)
    onAnswer()
    if (answer.accepted) return saveAccepted(receiver.name, notice)
    const isAborted = answer.failure.status === null && closing.aborted
    return isAborted ? outbox.unclaim(notice.id, clock()) : saveRefusal(receiver.name, notice, answer)
  }
}
