/** The console's page of the webhooks: the receivers, and the waiting and failed notices with the reason and the fix. */
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import type { Deps } from '../deps.ts'
import { toReceiverOff } from '../doctor/receivers-off.ts'
import { BindError } from '../errors.ts'
import { nextTryOf } from '../outbound/receiver-waits.ts'
import { adviceSentence } from '../outbound/webhook-advice.ts'
import type { ConsoleAction } from '../store/console-store.ts'
import type { Notice, NoticeFilter, QueueLength, ReceiverState } from '../store/outbox.ts'
import { ACTION_LINE, type Session } from './sessions.ts'
import type { Advice, NoticeLine, Receiver, Replayed, Role, TestOutcome, Webhooks } from './wire.ts'

const MAX_SHOWN = 100

/** `id` and `receiver` as the page sends them. */
type Choice = { id?: number | undefined; receiver?: string | undefined }

export function createWebhookPages({ store, clock, log, console: { receivers, sendTest } }: Deps) {
  const { outbox } = store

  async function record({ name }: Session, action: ConsoleAction, subject: string | null): Promise<void> {
    await store.console.record({ at: clock(), operator: name, action, subject })
    log.info({ operator: name, action, subject }, ACTION_LINE)
  }

  async function show({ role }: Pick<Session, 'role'>): Promise<Webhooks> {
    const [waiting, failed, lengths, states] = await Promise.all([
      outbox.list('waiting', MAX_SHOWN),
      outbox.list('failed', MAX_SHOWN),
      outbox.lengths(),
      outbox.receivers(),
    ])
    const present = { known: receivers().map(({ name }) => name), states, now: clock() }
    const sum = (state: 'waiting' | 'failed') => lengths.reduce((all, length) => all + length[state], 0)
    // Events that have not been moved to a queue yet are not in `lengths`.
    const inOutbox = waiting.filter(({ receiver }) => receiver === null).length
    return {
      receivers: receivers().map((receiver) => toReceiver(receiver, { lengths, states, role, now: clock() })),
      waiting: waiting.map((notice) => ({ ...toLine(notice), nextAt: nextTryOf(notice, present) ?? null })),
      waitingCount: sum('waiting') + inOutbox,
      failed: failed.map((notice) => ({ ...toLine(notice), nextAt: null })),
      failedCount: sum('failed'),
    }
  }

  function find(name: string): WebhookReceiver {
    const receiver = receivers().find((each) => each.name === name)
    if (!receiver) throw new BindError('NOT_FOUND', 'There is no webhook receiver with this name.')
    return receiver
  }

  async function makeDue(what: 'replay' | 'retry', { id, receiver }: Choice, session: Session): Promise<Replayed> {
    const filter: NoticeFilter = {
      ...(id === undefined ? {} : { id }),
      ...(receiver === undefined ? {} : { receiver }),
    }
    await record(session, what, id === undefined ? (receiver ?? null) : String(id))
    return { count: await outbox[what](clock(), filter) }
  }

  return {
    show,
    replay: (choice: Choice, session: Session) => makeDue('replay', choice, session),
    retry: (choice: Choice, session: Session) => makeDue('retry', choice, session),
    async enable(name: string, session: Session): Promise<Webhooks> {
      find(name)
      await record(session, 'enable', name)
      await outbox.enable(name, clock())
      return show(session)
    },
    async test(name: string, session: Session): Promise<TestOutcome> {
      const receiver = find(name)
      await record(session, 'test', name)
      const startedAt = performance.now()
      const answer = await sendTest(receiver)
      const ms = Math.round(performance.now() - startedAt)
      if (answer.accepted) return { accepted: true, failure: null, advice: null, ms }
      return { accepted: false, failure: answer.failure, advice: adviceSentence(answer.failure), ms }
    },
  }
}

function toReceiver(
  { name, tenant, url, types }: WebhookReceiver,
  { lengths, states, role, now }: { lengths: QueueLength[]; states: ReceiverState[]; role: Role; now: number },
): Receiver {
  const { waiting = 0, failed = 0 } = lengths.find(({ receiver }) => receiver === name) ?? {}
  const state = states.find((each) => each.name === name)
  const status = state?.status ?? 'on'
  const pausedUntil = state?.pausedUntil ?? null
  return {
    ...lightOf(name, state, failed),
    name,
    tenant: tenant ?? null,
    url: withoutSecrets(url, role),
    types: types ?? null,
    status,
    waiting,
    failed,
    failures: state?.failures ?? 0,
    failingSince: state?.failingSince ?? null,
    pausedUntil: pausedUntil !== null && pausedUntil > now ? pausedUntil : null,
    lastFailure: state ? { at: state.lastFailureAt, ...state.lastFailure } : null,
  }
}

function lightOf(name: string, state: ReceiverState | undefined, failed: number): Pick<Receiver, 'light' | 'advice'> {
  if (state && state.status !== 'on') {
    const { en, zh, fix } = toReceiverOff({ name, status: state.status })
    return { light: 'bad', advice: fix ? { en, zh, fix } : { en, zh } }
  }
  if (state && state.failures > 0) return { light: 'warn', advice: failing(state) }
  if (failed > 0) return { light: 'warn', advice: gaveUp(failed) }
  return { light: 'ok' }
}

function failing({ failures, lastFailure }: ReceiverState): Advice {
  return {
    en: failures === 1 ? 'The last attempt failed.' : `The last ${failures} attempts failed.`,
    zh: `最近 ${failures} 次投递失败。`,
    fix: adviceSentence(lastFailure),
  }
}

const gaveUp = (failed: number): Advice => ({
  en: `${failed === 1 ? '1 notice was' : `${failed} notices were`} given up after three days of attempts.`,
  zh: `${failed} 条通知在尝试三天后被放弃。`,
  fix: { en: 'Correct the cause, then replay them.', zh: '请先排除原因，然后重新投递。' },
})

/** User, password, query and fragment may be secret. Some services have a secret in the path, which only an operator sees. */
function withoutSecrets(url: string, role: Role): string {
  const { origin, pathname } = new URL(url)
  return role === 'operator' ? origin + pathname : origin
}

const toLine = (notice: Notice): NoticeLine => ({
  ...notice.identity,
  id: notice.id,
  uid: notice.uid,
  receiver: notice.receiver,
  type: `binding.${notice.type}`,
  reason: notice.reason,
  version: notice.version,
  at: notice.at,
  attempts: notice.attempts,
  nextAt: notice.nextAt,
  failure: notice.failure,
  advice: notice.failure && adviceSentence(notice.failure),
})
