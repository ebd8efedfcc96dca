/**
 * The outbox: events that webhook receivers have to accept. An event is inserted in the transaction of the change itself. The
 * sender moves it to the queue of each receiver, as one notice per receiver, so that a receiver that fails delays no other
 * receiver. A notice is kept until its receiver has accepted it or the sender has given up.
 */
import type { BindingEvent } from './event-feed.ts'

/**
 * One event for one receiver. WeChat's ids are read when the event is sent, so they are null if the binding was removed before.
 */
export type Notice = BindingEvent & {
  id: number
  /** Null while the event has not been moved to the queues of its receivers. */
  receiver: string | null
  /** Failed attempts so far. */
  attempts: number
  /** When the next attempt is due. */
  nextAt: number
  /** Why the last attempt failed; null before the first failure. */
  failure: Failure | null
}

/** `status` is the status of the answer, `error` the code of a request without an answer. One of the two is set. */
export type Failure = { status: number | null; error: string | null }

export type NoticeState = 'waiting' | 'failed'

/** Selects one notice by its id, the notices of one receiver, or all notices. */
export type NoticeFilter = { id?: number; receiver?: string }

/**
 * `gone`: the receiver answered 410. `off`: it has failed for five days. In both states the receiver gets no notice until it is
 * enabled.
 */
export type ReceiverStatus = 'on' | 'gone' | 'off'

/** The stored state of a receiver that has failed. Times are epoch ms. */
export type ReceiverState = {
  name: string
  status: ReceiverStatus
  /** The first failure since the last success; null while the receiver accepts. */
  failingSince: number | null
  /** Failures since the last success. */
  failures: number
  /** The receiver gets no notice until this time. */
  pausedUntil: number | null
  lastFailure: Failure
  lastFailureAt: number
}

export type ReceiverFailure = {
  name: string
  now: number
  failure: Failure
  /** Whether the receiver answered 410. */
  isGone: boolean
  pausedUntil: number | null
}

/** The number of notices in a receiver's queue. */
export type QueueLength = { receiver: string; waiting: number; failed: number }

/** The receiver of each notice that was added. `heldUntil`: the time at which an event that waits for its unionid is moved without the unionid. */
export type Dispatched = { receivers: string[]; isMore: boolean; heldUntil: number | undefined }

/** How many notices of a receiver may be claimed. */
export type Room = { receiver: string; room: number }

export type Outbox = {
  /**
   * Moves at most `limit` events, oldest first, to the queues of the receivers that `route` names; `route` may be called repeatedly.
   * An event waits for its unionid, at most `HOLD_MS`, and later events of its user wait too. The caller needs the lease.
   */
  dispatch(now: number, route: (tenant: string, type: Notice['type']) => string[], limit: number): Promise<Dispatched>
  /**
   * Takes due notices, at most `room` of each receiver. Only the first waiting notice of a user is taken, so that a receiver gets a
   * user's events in order. A notice becomes due again at `until` unless its outcome is saved. No notice is taken by two instances.
   */
  claim(now: number, until: number, rooms: Room[]): Promise<Notice[]>
  /** Ends the claim of a notice that was not tried. The notice is due at `now`. */
  unclaim(id: number, now: number): Promise<void>
  /** Removes accepted notices. */
  delivered(ids: number[]): Promise<void>
  /** Counts a failed attempt; the notice is due again at `at`. */
  retryAt(id: number, at: number, failure: Failure): Promise<void>
  /** Marks the notice as failed, so that it no longer delays later events of the same user. */
  giveUp(id: number, failure: Failure): Promise<void>
  list(state: NoticeState, limit: number): Promise<Notice[]>
  lengths(): Promise<QueueLength[]>
  /** `at` of the oldest event that waits for one of these receivers, or that has not been moved yet. Receivers that are off do not count. */
  oldestAt(receivers: string[]): Promise<number | undefined>
  /** Makes failed notices due at `now`, with all attempts. Returns their number. */
  replay(now: number, filter?: NoticeFilter): Promise<number>
  /** Makes waiting notices due at `now`, and ends the pauses of their receivers. Returns the number of notices. */
  retry(now: number, filter?: NoticeFilter): Promise<number>
  /** The receivers that have failed, by name. A receiver that is not listed is on. */
  receivers(): Promise<ReceiverState[]>
  /** Counts a failure of a receiver. Never makes its pause shorter. Switches it off after five days of failures. Returns its new state. */
  receiverFailed(failed: ReceiverFailure): Promise<ReceiverState>
  /**
   * Deletes the failures of a receiver that is on. Does nothing during a pause, because a request that is accepted then was sent
   * before the pause.
   */
  receiverAccepted(name: string, now: number): Promise<void>
  /** Switches a receiver on, and makes its waiting notices due at `now`. Returns false if it was on. */
  enable(name: string, now: number): Promise<boolean>
  /** Acquires or extends, until `until`, the lease for `dispatch`. Returns false while another holder has the lease. */
  lease(holder: string, now: number, until: number): Promise<boolean>
  release(holder: string): Promise<void>
}

/** How long an event waits for its unionid. After this time the event is sent without the unionid. */
export const HOLD_MS = 3_000

/** A receiver that fails for this long is switched off. */
export const OFF_AFTER_MS = 5 * 24 * 60 * 60_000

// The longest pause between two attempts is 1.2 days. If twice this time passes without a failure, there was no attempt.
export const FAILURE_GAP_MS = 2 * 24 * 60 * 60_000
