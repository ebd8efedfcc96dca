/**
 * The transitions of the element's state machine. The transitions are pure functions: each event contains the time, the
 * random number and the settings that a transition uses.
 */
import type { BindingView, Notice, QrcodeView } from '../server/wire.ts'
import { firstAttempt, nextAttempt, retryAttempt } from './attempt.ts'
import { type BindError, isTokenError } from './bind-error.ts'
import {
  type Bound,
  type Expired,
  type Failed,
  hasRequest,
  initialState,
  isUserRequest,
  type Loading,
  type Ready,
  type Refused,
  type Scanned,
  type State,
  type WithRequest,
} from './state.ts'

/**
 * `view`: the server's response, null for "not modified". `tookMs`: the duration of the request. `now`: the current
 * time of the clock that also gives the deadline of a ticket. `auto`: the element is visible and has `refresh="auto"`,
 * so it may replace an expired QR code without a click. `isOther`: the token may now belong to another user. `proof`,
 * `error`: the result of WeChat's authorization, from the URL of the page.
 */
export type MachineEvent =
  | { type: 'start' | 'stop' | 'refresh' | 'unbind' | 'authorize' | 'token' | 'offline' }
  | { type: 'returned'; proof?: string; error?: BindError }
  | { type: 'confirm'; code: string }
  | { type: 'answered'; view: QrcodeView | BindingView | null; now: number; tookMs: number }
  | { type: 'failed'; error: BindError; random: number }
  | { type: 'wake'; now: number; auto: boolean; isOther?: boolean }

/** How many times the element replaces an expired QR code without a click. */
export const AUTO_REFRESHES = 3

/**
 * After this number of consecutive retries without a QR code, the element displays an error. Polls have no such limit,
 * because the QR code is displayed and still works.
 */
const CREATE_ATTEMPTS = 4
/** If the server asks for a longer wait (Retry-After), the element displays an error instead of waiting. */
const MAX_SILENT_WAIT_MS = 15_000
/** The number of polls after the QR code has expired. The server accepts a late follow for 300 s, which is 12 waits of 25 s. */
const LATE_POLLS = 12
/**
 * The minimum time from one poll to the next. A proxy, or a server that is shutting down, may answer polls at once, and
 * the element would poll in a loop.
 */
const POLL_SPACING_MS = 2000
/** How long the card mentions a refused scan. The server removes its notice of the scan after 60 s, too. */
const REFUSED_SHOWN_MS = 60_000

type Steps = { [Type in MachineEvent['type']]: (state: State, event: Extract<MachineEvent, { type: Type }>) => State }

/** Returns the state after `event`, or the same object when the event does not apply to the state. */
export function reduce(state: State, event: MachineEvent): State {
  return (steps[event.type] as (state: State, event: MachineEvent) => State)(state, event)
}

const steps: Steps = {
  start(state) {
    if (state.name === 'idle') return toLoading()
    if (state.name === 'error') return toLoading({ initial: state.initial })
    return state.name === 'expired' ? toLoading({ initial: false }) : state
  },

  stop: (state) => (state.name === 'idle' && state.halted ? state : { name: 'idle', halted: true }),

  /** Replaces only a displayed ticket. An expired ticket is not invalidated: a user who scanned it in time may still tap "follow". */
  refresh(state) {
    if (state.name === 'ready' || state.name === 'scanned') return toLoading({ initial: false, replace: true })
    if (state.name === 'bound') return state.unbinding ? state : toLoading()
    return reduce(state, { type: 'start' })
  },

  confirm: (state, { code }) =>
    state.name === 'scanned' && state.confirm === 'code' && !state.code
      ? { ...state, code, failure: undefined }
      : state,

  unbind: (state) =>
    state.name === 'bound' && !state.unbinding ? { ...state, unbinding: true, failure: undefined } : state,

  authorize: (state) =>
    state.name === 'ready' && state.ticket.oauth && !state.isLeaving
      ? { ...state, isLeaving: true, failure: undefined }
      : state,

  returned: (_, { proof, error }) => (error ? toError(error) : toLoading({ initial: false, proof })),

  /**
   * Versions only increase, so a lower version is outdated. An answer with an equal version changes nothing, unless it
   * is the answer to a user's request.
   */
  answered(state, { view, now, tookMs }) {
    // The dialog is closed. Only a binding changes the state.
    if (state.name === 'idle') return view?.state === 'bound' ? fromBinding(view, true) : state
    if (!hasRequest(state)) return state
    if (state.name === 'loading') return view ? fromQrcode(state, view as QrcodeView, now) : state
    if (!view || view.version < state.version || (view.version === state.version && !isUserRequest(state))) {
      return afterPoll(state, view ? 0 : tookMs)
    }
    if (view.state !== 'unbound') {
      const next = fromBinding(view)
      // A poll does not repeat the QR code to follow with.
      if (next.name === 'bound' && next.subscribed === false && state.name === 'bound') next.follow ??= state.follow
      return next
    }
    // If the version rose by exactly 1, the refused scan was the only change, and the QR code is still valid.
    if (state.name === 'ready' && view.notice && view.version === state.version + 1) {
      const { version } = view
      return { ...state, version, attempt: nextAttempt(state.attempt), refused: toRefused(view, now) }
    }
    // From here on the account is unbound. An expired QR code stays expired, and a bound element starts again. In every
    // other state the element requests the current QR code, for example after a scan that was not confirmed in time.
    if (state.name === 'expired') return { ...state, version: view.version }
    return state.name === 'bound' ? initialState : toLoading({ initial: false })
  },

  failed(state, { error, random }) {
    if (state.name === 'idle') {
      return error.code === 'NO_TOKEN' && !error.retryable ? { ...toError(error, true), isUnstarted: true } : state
    }
    if (!hasRequest(state)) return state
    // The element displays the data of the previous user, so it starts again.
    if (error.code === 'OTHER_USER') return toLoading()
    // An earlier request with this proof may have succeeded, although its answer was lost. The next request returns the
    // result.
    if (error.code === 'PROOF_EXPIRED' && state.attempt.turn) return toLoading({ initial: false })
    if (isUserRequest(state) && state.name !== 'loading') return afterUserRequestFailed(state, error)
    if (error.retryable && (state.name !== 'loading' || mayRetry(state, error))) {
      return { ...state, attempt: retryAttempt(state.attempt, random, error.retryAfterMs) }
    }
    // A failed poll does not remove the binding, so the element stays bound and stops polling.
    if (state.name === 'bound') return { ...state, attempt: undefined, failure: error }
    return state.name === 'expired'
      ? { ...state, attempt: undefined }
      : toError(error, state.name === 'loading' && state.initial)
  },

  /** Continues with a new token after an error that the old token caused. */
  token(state) {
    if (state.name === 'error' && isTokenError(state.error)) {
      return state.isUnstarted ? initialState : toLoading({ initial: state.initial })
    }
    if (state.name !== 'bound' || !state.failure || !isTokenError(state.failure)) return state
    return { ...state, attempt: firstAttempt, failure: undefined }
  },

  /** Only states that need the network become `offline`. */
  offline: (state) =>
    state.name === 'loading' || state.name === 'ready' || state.name === 'scanned'
      ? { name: 'offline', initial: state.name === 'loading' && state.initial }
      : state,

  /**
   * Sends the request at once and resets the failure count. This event occurs when the QR code expires, and when the
   * element becomes visible, online or connected to the document.
   */
  wake(state, { now, auto, isOther }) {
    if (state.name === 'offline' || (state.name === 'error' && state.error.retryable)) {
      return toLoading({ initial: state.initial })
    }
    if (state.name === 'ready' && now >= state.ticket.deadline) return afterExpiry(state, auto)
    if (state.name === 'expired' && auto && state.refreshesLeft) return afterExpiry(state, auto)
    if (
      !hasRequest(state) ||
      isUserRequest(state) ||
      (state.name === 'loading' && !state.attempt.failures && !isOther)
    ) {
      return state
    }
    const attempt = nextAttempt(state.attempt)
    return isOther && state.name === 'bound' ? { ...state, attempt, isChecked: true } : { ...state, attempt }
  },
}

function toLoading({
  initial = true,
  replace = false,
  refreshesLeft = AUTO_REFRESHES,
  proof,
}: Partial<Loading> = {}): Loading {
  return { name: 'loading', attempt: firstAttempt, replace, initial, refreshesLeft, proof }
}

function fromQrcode({ initial, refreshesLeft, proof }: Loading, view: QrcodeView, now: number): State {
  if (view.state !== 'unbound') return fromBinding(view, initial)
  // The server accepted the proof, but the account has been unbound since then.
  if (proof) return toLoading({ initial: false })
  const { version, url, qr, code, account, oauth, expiresIn } = view
  const ticket = { url, qr, code, account, oauth, deadline: now + expiresIn * 1000 }
  return { name: 'ready', attempt: firstAttempt, version, ticket, refreshesLeft, refused: toRefused(view, now) }
}

function toRefused({ notice }: { notice?: Notice }, now: number): Refused | undefined {
  return notice && { notice, until: now + REFUSED_SHOWN_MS }
}

function fromBinding(view: Exclude<BindingView, { state: 'unbound' }>, initial = false): Scanned | Bound {
  const { version } = view
  if (view.state === 'scanned') return { name: 'scanned', attempt: firstAttempt, version, confirm: view.confirm }
  const { boundAt, subscribed, follow } = view
  return { name: 'bound', attempt: firstAttempt, version, boundAt, initial, unbinding: false, subscribed, follow }
}

/** The values that end the requests of this kind: they are sent only once. */
const answeredOnce = { isChecked: undefined, isLeaving: undefined }

function afterPoll(state: WithRequest, tookMs: number): State {
  const isOver = state.name === 'expired' && state.attempt.turn >= LATE_POLLS
  const attempt = isOver ? undefined : nextAttempt(state.attempt, POLL_SPACING_MS - tookMs)
  return { ...state, ...answeredOnce, attempt } as State
}

function mayRetry({ attempt }: Loading, { retryAfterMs = 0 }: BindError): boolean {
  return attempt.failures < CREATE_ATTEMPTS && retryAfterMs <= MAX_SILENT_WAIT_MS
}

function toError(error: BindError, initial = false): Failed {
  return { name: 'error', error, initial }
}

/** The state after a failed request of the user. */
function afterUserRequestFailed(state: WithRequest, error: BindError): State {
  if (state.name === 'ready') return { ...state, isLeaving: undefined, failure: error }
  if (state.name !== 'scanned') {
    return error.code === 'NOT_BOUND' ? initialState : ({ ...state, unbinding: false, failure: error } as Bound)
  }
  const isWrongCode = error.code === 'WRONG_CODE'
  if (isWrongCode && !error.triesLeft) return toLoading({ initial: false })
  return isWrongCode || error.retryable ? { ...state, code: undefined, failure: error } : toError(error)
}

function afterExpiry({ version, refreshesLeft }: Ready | Expired, auto: boolean): State {
  return auto && refreshesLeft
    ? toLoading({ initial: false, refreshesLeft: refreshesLeft - 1 })
    : { name: 'expired', attempt: firstAttempt, version, refreshesLeft }
}
