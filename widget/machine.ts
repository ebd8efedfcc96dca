/** The element's states and what moves them. Pure: the moment, chance and wishes an event depends on travel in it. */
import type { BindingView, Confirm, QrcodeView, QrPath } from '../server/wire.ts'
import { type Attempt, firstAttempt, nextAttempt, retryAttempt } from './attempt.ts'
import { type BindError, isTokenError } from './bind-error.ts'

/** A QR that can be scanned until `deadline`, in ms of the monotonic clock. */
export type Ticket = { url: string; qr: QrPath; code: string; deadline: number }

/** `halted`: stopped by `stop()`, so that coming on screen does not start it. */
export type Idle = { name: 'idle'; halted: boolean }
/** `replace`: the live ticket is to die; `initial`: nothing has been shown yet. */
export type Loading = { name: 'loading'; attempt: Attempt; replace: boolean; initial: boolean; refreshesLeft: number }
export type Ready = { name: 'ready'; attempt: Attempt; version: number; ticket: Ticket; refreshesLeft: number }
/** `code`: the digits being checked; `failure`: why the last ones were not taken. */
export type Scanned = {
  name: 'scanned'
  attempt: Attempt
  version: number
  confirm: Confirm
  code?: string | undefined
  failure?: BindError | undefined
}
/** `boundAt` is Unix seconds, as on the wire; `attempt` is missing once watching has failed for good; `failure`: of watching or unbinding. */
export type Bound = {
  name: 'bound'
  attempt?: Attempt | undefined
  version: number
  boundAt: number
  initial: boolean
  unbinding: boolean
  /** Asked once whether it is still this user's. */
  isChecked?: true | undefined
  failure?: BindError | undefined
}
/** Still listens: who scanned in time may take a while to tap "follow". */
export type Expired = { name: 'expired'; attempt?: Attempt | undefined; version: number; refreshesLeft: number }
export type Offline = { name: 'offline'; initial: boolean }
export type Failed = { name: 'error'; error: BindError; initial: boolean }

export type State = Idle | Loading | Ready | Scanned | Bound | Expired | Offline | Failed

/** The states' public names. */
export type StateName = State['name']

/**
 * `answered`: by the server, with null for "nothing new", `tookMs` after it was asked; `auto`: a new QR may be made unasked
 * (visible, and `refresh="auto"`); `isOther`: the token may have become another user's; `now` is of the same clock as a ticket's deadline.
 */
export type MachineEvent =
  | { type: 'start' | 'stop' | 'refresh' | 'unbind' | 'token' | 'offline' }
  | { type: 'confirm'; code: string }
  | { type: 'answered'; view: QrcodeView | BindingView | null; now: number; tookMs: number }
  | { type: 'failed'; error: BindError; random: number }
  | { type: 'wake'; now: number; auto: boolean; isOther?: boolean }

/** What runs: nothing, one request, or only the countdown. A changed name aborts it and starts the next. */
export type Effect = 'none' | `${'create' | 'count' | 'ask'}:${number}` | `wait:${number}.${number}`

/** A page left open makes this many new QRs by itself, then asks for a click. */
export const AUTO_REFRESHES = 3

/** Failures in a row before a missing QR is called an error. A poll never gives up: its QR is on screen. */
const CREATE_ATTEMPTS = 4
/** A server that asks for more patience than this is not waited for silently. */
const PATIENCE_MS = 15_000
/** A `subscribe` counts for 300 s after the ticket's end: so many waits of 25 s. */
const LATE_POLLS = 12
/** A poll answered at once (a server going down, a proxy that cannot wait) is not repeated at once. */
const POLL_SPACING_MS = 2000

export const initialState: State = { name: 'idle', halted: false }

type Steps = { [Type in MachineEvent['type']]: (state: State, event: Extract<MachineEvent, { type: Type }>) => State }

/** The state after `event`; the same object when the event does not apply. */
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

  /** Only a ticket on screen is replaced. An ended one is left alone: who scanned it in time may still tap "follow". */
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

  /** A version only grows: an older answer is late, an equal one says nothing new unless it answers a request of the user's. */
  answered(state, { view, now, tookMs }) {
    if (!isRunning(state)) return state
    if (state.name === 'loading') return view ? fromQrcode(state, view as QrcodeView, now) : state
    if (!view || view.version < state.version || (view.version === state.version && !isAsking(state))) {
      return waited(state, view ? 0 : tookMs)
    }
    if (view.state !== 'unbound') return settle(view)
    // After an unbinding the element is as new; an ended QR stays ended; after a lapsed scan it asks which ticket is the live one.
    if (state.name === 'expired') return { ...state, version: view.version }
    return state.name === 'bound' ? initialState : toLoading({ initial: false })
  },

  failed(state, { error, random }) {
    if (!isRunning(state)) return state
    // What is on screen belongs to the user before.
    if (error.code === 'OTHER_USER') return toLoading()
    if (isAsking(state)) return refuse(state, error)
    if (error.retryable && (state.name !== 'loading' || isPatient(state, error))) {
      return { ...state, attempt: retryAttempt(state.attempt, random, error.retryAfterMs) }
    }
    // No failed poll takes back what is so; only, nothing more will be heard.
    if (state.name === 'bound') return { ...state, attempt: undefined, failure: error }
    return state.name === 'expired'
      ? { ...state, attempt: undefined }
      : toError(error, state.name === 'loading' && state.initial)
  },

  /** What stopped for want of a token goes on. */
  token(state) {
    if (state.name === 'error' && isTokenError(state.error)) return toLoading({ initial: state.initial })
    if (state.name !== 'bound' || !state.failure || !isTokenError(state.failure)) return state
    return { ...state, attempt: firstAttempt, failure: undefined }
  },

  /** A bound user stays bound without a network, and who waits for a click waits. */
  offline: (state) =>
    state.name === 'loading' || state.name === 'ready' || state.name === 'scanned'
      ? { name: 'offline', initial: state.name === 'loading' && state.initial }
      : state,

  /** The QR ended, or the element is visible, online or connected again: ask at once, and forget the failures that led here. */
  wake(state, { now, auto, isOther }) {
    if (state.name === 'offline' || (state.name === 'error' && state.error.retryable)) {
      return toLoading({ initial: state.initial })
    }
    if (state.name === 'ready' && now >= state.ticket.deadline) return expire(state, auto)
    if (state.name === 'expired' && auto && state.refreshesLeft) return expire(state, auto)
    if (!isRunning(state) || isAsking(state) || (state.name === 'loading' && !state.attempt.failures && !isOther)) {
      return state
    }
    const attempt = nextAttempt(state.attempt)
    return isOther && state.name === 'bound' ? { ...state, attempt, isChecked: true } : { ...state, attempt }
  },
}

/** What `state` wants done. A bound element asks for nothing, unless it is to `watch`; a hidden one only ends what the user began. */
export function effectOf(state: State, { watch = false, visible = true } = {}): Effect {
  if (!isRunning(state)) return 'none'
  if (isAsking(state)) return `ask:${(state as Scanned).version}`
  if (state.name === 'bound' && !watch && !state.isChecked) return 'none'
  if (!visible) return state.name === 'ready' ? `count:${state.version}` : 'none'
  return state.name === 'loading' ? `create:${state.attempt.turn}` : `wait:${state.version}.${state.attempt.turn}`
}

/** The states in which something has been asked of the server. */
type Running = Loading | Ready | Scanned | ((Bound | Expired) & { attempt: Attempt })

function isRunning(state: State): state is Running {
  return 'attempt' in state && !!state.attempt
}

/** Whether the user waits for an answer: such a request is neither repeated nor given up. */
function isAsking(state: Running): boolean {
  return state.name === 'scanned' ? !!state.code : state.name === 'bound' && state.unbinding
}

function toLoading({
  initial = true,
  replace = false,
  refreshesLeft = AUTO_REFRESHES,
}: Partial<Loading> = {}): Loading {
  return { name: 'loading', attempt: firstAttempt, replace, initial, refreshesLeft }
}

function fromQrcode({ initial, refreshesLeft }: Loading, view: QrcodeView, now: number): State {
  if (view.state !== 'unbound') return settle(view, initial)
  const { version, url, qr, code, expiresIn } = view
  const ticket = { url, qr, code, deadline: now + expiresIn * 1000 }
  return { name: 'ready', attempt: firstAttempt, version, ticket, refreshesLeft }
}

function settle(view: Exclude<BindingView, { state: 'unbound' }>, initial = false): Scanned | Bound {
  const { version } = view
  return view.state === 'scanned'
    ? { name: 'scanned', attempt: firstAttempt, version, confirm: view.confirm }
    : { name: 'bound', attempt: firstAttempt, version, boundAt: view.boundAt, initial, unbinding: false }
}

function waited(state: Running, tookMs: number): State {
  const over = state.name === 'expired' && state.attempt.turn >= LATE_POLLS
  const attempt = over ? undefined : nextAttempt(state.attempt, POLL_SPACING_MS - tookMs)
  return (state.name === 'bound' ? { ...state, attempt, isChecked: undefined } : { ...state, attempt }) as State
}

function isPatient({ attempt }: Loading, { retryAfterMs = 0 }: BindError): boolean {
  return attempt.failures < CREATE_ATTEMPTS && retryAfterMs <= PATIENCE_MS
}

function toError(error: BindError, initial = false): Failed {
  return { name: 'error', error, initial }
}

/** What the user asked for was not done. */
function refuse(state: Running, error: BindError): State {
  if (state.name !== 'scanned') {
    return error.code === 'NOT_BOUND' ? initialState : ({ ...state, unbinding: false, failure: error } as Bound)
  }
  const wrong = error.code === 'WRONG_CODE'
  if (wrong && !error.triesLeft) return toLoading({ initial: false })
  return wrong || error.retryable ? { ...state, code: undefined, failure: error } : toError(error)
}

function expire({ version, refreshesLeft }: Ready | Expired, auto: boolean): State {
  return auto && refreshesLeft
    ? toLoading({ initial: false, refreshesLeft: refreshesLeft - 1 })
    : { name: 'expired', attempt: firstAttempt, version, refreshesLeft }
}
