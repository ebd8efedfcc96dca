/** The page Webhooks: receivers, and notices that wait or have failed. */
import type { Advice, Light } from './advice.ts'
import type { UserName } from './users.ts'

export type Webhooks = {
  receivers: Receiver[]
  /** The oldest first; at most 100 of each. `…Count` counts all. */
  waiting: NoticeLine[]
  waitingCount: number
  failed: NoticeLine[]
  failedCount: number
}

export type Receiver = Light & {
  name: string
  tenant: string | null
  /** Without user, password and query, which may be secret. For a viewer, the path is removed too. */
  url: string
  /** Null: all types. */
  types: string[] | null
  status: 'on' | 'gone' | 'off'
  waiting: number
  failed: number
  failures: number
  failingSince: number | null
  pausedUntil: number | null
  lastFailure: ({ at: number } & Failure) | null
}

/** One of the two is set: the status of the answer, or the code of a request without an answer. */
export type Failure = { status: number | null; error: string | null }

export type NoticeLine = UserName & {
  /** For `NoticeChoice`. */
  id: number
  /** The `webhook-id`. */
  uid: string
  /** Null while the event has not been moved to the queues of its receivers. */
  receiver: string | null
  type: 'binding.bound' | 'binding.unbound' | 'binding.updated'
  reason: string
  version: number
  at: number
  attempts: number
  /** Null for a notice that was given up, or whose receiver is off. */
  nextAt: number | null
  failure: Failure | null
  /** What the failure means and what to do. */
  advice: Advice | null
}

/** One notice, the notices of one receiver, or all. */
export type NoticeChoice = { id?: number; receiver?: string }

export type Replayed = { count: number }

export type ReceiverChoice = { receiver: string }

export type TestOutcome = { accepted: boolean; failure: Failure | null; advice: Advice | null; ms: number }
