/** The element's states and what moves them. Pure: the moment, chance and wishes an event depends on travel in it. */
import type { BindingView, Confirm, QrcodeView, QrPath, TicketView } from '../server/wire.ts'
import { type BindError, isTokenError } from './bind-error.ts'
import { firstRun, nextRun, type Run, retryRun } from './run.ts'

/** A QR that can be scanned until `deadline`, in ms of the monotonic clock. */
export type Ticket = { url: string; qr: QrPath; code: string; deadline: number }

/** `halted`: stopped by `stop()`, so that coming on screen does not start it. */
export type Idle = { name: 'idle'; halted: boolean }
/** `replace`: the live ticket is to die; `initial`: nothing has been shown yet. */
export type Loading = { name: 'loading'; run: Run; replace: boolean; initial: boolean; refreshesLeft: number }
export type Ready = { name: 'ready'; run: Run; version: number; ticket: Ticket; refreshesLeft: number }
/** `code`: the digits being checked; `failure`: why the last ones were not taken. */
export type Scanned = {
  name: 'scanned'
  run: Run
  version: number
  confirm: Confirm
  code?: string | undefined
  failure?: BindError | undefined
}
/** `boundAt` is Unix seconds, as on the wire; `run` is missing once watching has failed for good; `failure`: of watching or unbinding. */
export type Bound = {
  name: 'bound'
  run?: Run | undefined
  version: number
  boundAt: number
  initial: boolean
  unbinding: boolean
  failure?: BindError | undefined
}
export type Expired = { name: 'expired'; refreshesLeft: number }
export type Offline = { name: 'offline'; before: Loading | Ready | Scanned }
export type Failed = { name: 'error'; error: BindError; initial: boolean }

export type State = Idle | Loading | Ready | Scanned | Bound | Expired | Offline | Failed

/** The states' public names. */
export type StateName = State['name']

/** `now` is of the monotonic clock; `auto`: a new QR may be made unasked (visible, and `refresh="auto"`). */
export type Event =
  | { type: 'appear' | 'start' | 'stop' | 'refresh' | 'unbind' | 'token' | 'offline' }
  | { type: 'confirm'; code: string }
  | { type: 'created'; view: QrcodeView; now: number }
  | { type: 'answered'; view: BindingView }
  | { type: 'unchanged'; tookMs: number }
  | { type: 'failed'; error: BindError; random: number }
  | { type: 'expire'; auto: boolean }
  | { type: 'wake' | 'online'; now: number; auto: boolean }

/** What runs: nothing, or one request, named so that a different name means a different request. */
export type Effect = 'none' | `create:${number}` | `wait:${number}.${number}` | `confirm:${number}` | `unbind:${number}`

/** A page left open makes this many new QRs by itself, then asks for a click. */
export const AUTO_REFRESHES = 3

/** Failures in a row before a missing QR is called an error. A poll never gives up: its QR is on screen. */
const CREATE_ATTEMPTS = 4
/** A server that asks for more patience than this is not waited for silently. */
const PATIENCE_MS = 15_000
/** A poll answered at once (a server going down, a proxy that cannot wait) is not repeated at once. */
const POLL_SPACING_MS = 2000

export const initialState: State = { name: 'idle', halted: false }

/** The state after `event`; the same object when the event does not apply. */
export function reduce(state: State, event: Event): State {
  switch (event.type) {
    case 'appear':
      return state.name === 'idle' && !state.halted ? toLoading() : state
    case 'start':
      return start(state)
    case 'stop':
      return state.name === 'idle' && state.halted ? state : { name: 'idle', halted: true }
    case 'refresh':
      return refresh(state)
    case 'confirm':
      return state.name === 'scanned' && state.confirm === 'code' && state.code === undefined
        ? { ...state, code: event.code, failure: undefined }
        : state
    case 'unbind':
      return state.name === 'bound' && !state.unbinding ? { ...state, unbinding: true, failure: undefined } : state
    case 'created':
      return state.name === 'loading' ? fromQrcode(state, event.view, event.now) : state
    case 'answered':
      return isLive(state) ? fromBinding(state, event.view) : state
    case 'unchanged':
      return isLive(state) && state.run ? { ...state, run: nextRun(state.run, POLL_SPACING_MS - event.tookMs) } : state
    case 'failed':
      return fail(state, event.error, event.random)
    case 'expire':
      return state.name === 'ready' ? expire(state, event.auto) : state
    case 'token':
      return renew(state)
    case 'offline':
      return isShaken(state) ? { name: 'offline', before: state } : state
    case 'online':
      if (state.name === 'error') return state.error.retryable ? toLoading({ initial: state.initial }) : state
      return awaken(state.name === 'offline' ? state.before : state, event.now, event.auto)
    case 'wake':
      return awaken(state, event.now, event.auto)
  }
}

/** What `state` wants done. A bound element asks for nothing, unless it is to `watch`. */
export function effectOf(state: State, watch = false): Effect {
  switch (state.name) {
    case 'loading':
      return `create:${state.run.turn}`
    case 'ready':
      return waitFor(state, state.run)
    case 'scanned':
      return state.code === undefined ? waitFor(state, state.run) : `confirm:${state.version}`
    case 'bound':
      if (state.unbinding) return `unbind:${state.version}`
      return watch && state.run ? waitFor(state, state.run) : 'none'
    default:
      return 'none'
  }
}

function waitFor({ version }: Ready | Scanned | Bound, { turn }: Run): Effect {
  return `wait:${version}.${turn}`
}

function isLive(state: State): state is Ready | Scanned | Bound {
  return state.name === 'ready' || state.name === 'scanned' || state.name === 'bound'
}

/** Whether losing the network is news: a bound user stays bound, and the others wait for a click anyway. */
function isShaken(state: State): state is Loading | Ready | Scanned {
  return state.name === 'loading' || state.name === 'ready' || state.name === 'scanned'
}

function toLoading(wish: Partial<Omit<Loading, 'name'>> = {}): Loading {
  return { name: 'loading', run: firstRun, replace: false, initial: true, refreshesLeft: AUTO_REFRESHES, ...wish }
}

function start(state: State): State {
  switch (state.name) {
    case 'idle':
      return toLoading()
    case 'expired':
      return toLoading({ initial: false })
    case 'error':
      return toLoading({ initial: state.initial })
    default:
      return state
  }
}

/** Only a ticket on screen is replaced. An ended one is left alone: who scanned it in time may still tap "follow". */
function refresh(state: State): State {
  switch (state.name) {
    case 'ready':
    case 'scanned':
      return toLoading({ replace: true, initial: false })
    case 'bound':
      return state.unbinding ? state : toLoading()
    default:
      return start(state)
  }
}

function toReady({ refreshesLeft }: Loading, { version, url, qr, code, expiresIn }: TicketView, now: number): Ready {
  const ticket = { url, qr, code, deadline: now + expiresIn * 1000 }
  return { name: 'ready', run: firstRun, version, ticket, refreshesLeft }
}

function fromQrcode(state: Loading, view: QrcodeView, now: number): State {
  return view.state === 'unbound' ? toReady(state, view, now) : settle(view, state.initial)
}

function settle(view: Exclude<BindingView, { state: 'unbound' }>, initial: boolean): Scanned | Bound {
  const { version } = view
  return view.state === 'scanned'
    ? { name: 'scanned', run: firstRun, version, confirm: view.confirm }
    : { name: 'bound', run: firstRun, version, boundAt: view.boundAt, initial, unbinding: false }
}

/** A version only grows: an older answer is late, an equal one says nothing new unless it answers a request of the user's. */
function fromBinding(state: Ready | Scanned | Bound, view: BindingView): State {
  if (view.version < state.version) return state
  if (view.version === state.version && !isAsking(state)) {
    return state.run ? { ...state, run: nextRun(state.run, POLL_SPACING_MS) } : state
  }
  if (view.state !== 'unbound') return settle(view, false)
  // After an unbinding the element is as new; after a lapsed scan it asks which ticket is the live one.
  return state.name === 'bound' ? initialState : toLoading({ initial: false })
}

function isAsking(state: Ready | Scanned | Bound): boolean {
  return (state.name === 'scanned' && state.code !== undefined) || (state.name === 'bound' && state.unbinding)
}

function fail(state: State, error: BindError, random: number): State {
  switch (state.name) {
    case 'loading': {
      const patient = state.run.attempt < CREATE_ATTEMPTS && (error.retryAfterMs ?? 0) <= PATIENCE_MS
      if (error.retryable && patient) return { ...state, run: retryRun(state.run, random, error.retryAfterMs) }
      return { name: 'error', error, initial: state.initial }
    }
    case 'ready':
      return error.retryable ? { ...state, run: retryRun(state.run, random, error.retryAfterMs) } : toError(error)
    case 'scanned':
      return state.code === undefined ? failScanned(state, error, random) : failConfirm(state, error)
    case 'bound':
      return state.unbinding ? failUnbind(state, error) : failWatch(state, error, random)
    default:
      return state
  }
}

function toError(error: BindError): Failed {
  return { name: 'error', error, initial: false }
}

function failScanned(state: Scanned, error: BindError, random: number): State {
  return error.retryable ? { ...state, run: retryRun(state.run, random, error.retryAfterMs) } : toError(error)
}

function failConfirm(state: Scanned, error: BindError): State {
  if (error.code === 'WRONG_CODE' && error.triesLeft === 0) return toLoading({ initial: false })
  if (error.code !== 'WRONG_CODE' && !error.retryable) return toError(error)
  return { ...state, code: undefined, failure: error }
}

function failUnbind(state: Bound, error: BindError): State {
  if (error.code === 'NOT_BOUND') return initialState
  return { ...state, unbinding: false, failure: error }
}

/** Being bound is a fact that no failed poll takes back. */
function failWatch(state: Bound, error: BindError, random: number): State {
  if (error.retryable) return { ...state, run: retryRun(state.run ?? firstRun, random, error.retryAfterMs) }
  return { ...state, run: undefined, failure: error }
}

/** A new token: what stopped for want of one goes on. */
function renew(state: State): State {
  if (state.name === 'error' && isTokenError(state.error)) return toLoading({ initial: state.initial })
  if (state.name === 'bound' && state.failure && isTokenError(state.failure)) {
    return { ...state, run: firstRun, failure: undefined }
  }
  return state
}

function expire({ refreshesLeft }: Ready, auto: boolean): State {
  if (!auto || refreshesLeft === 0) return { name: 'expired', refreshesLeft }
  return toLoading({ initial: false, refreshesLeft: refreshesLeft - 1 })
}

/** Visible, online or connected again: ask at once, and forget the failures that led here. */
function awaken(state: State, now: number, auto: boolean): State {
  switch (state.name) {
    case 'loading':
      return state.run.attempt === 0 ? state : { ...state, run: nextRun(state.run) }
    case 'ready':
      return now < state.ticket.deadline ? { ...state, run: nextRun(state.run) } : expire(state, auto)
    case 'scanned':
    case 'bound':
      return state.run && !isAsking(state) ? { ...state, run: nextRun(state.run) } : state
    case 'expired':
      if (!auto || state.refreshesLeft === 0) return state
      return toLoading({ initial: false, refreshesLeft: state.refreshesLeft - 1 })
    default:
      return state
  }
}
