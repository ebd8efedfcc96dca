/** Dispatches the DOM events for changes of the state. No event contains a secret. */
import type { Notice, UnbindReason } from '../server/wire.ts'
import type { BindError } from './bind-error.ts'
import type { MachineEvent } from './machine.ts'
import type { State, StateName } from './state.ts'

/** Each event's `detail`. */
export type BindEventDetails = {
  /** `boundAt` is in Unix seconds. `initial`: the account was bound before the element started. */
  bound: { boundAt: number; initial: boolean }
  unbound: { reason: UnbindReason | undefined }
  scanned: null
  /** `conflict`: the WeChat is bound to another account; `expired_scan`: the scanned QR code no longer works. */
  refused: { reason: Notice }
  expired: null
  statechange: { state: StateName; previous: StateName }
  /** `requestId`: the request's id in the server's log. */
  binderror: { code: string; message: string; retryable: boolean; requestId?: string }
}

/** The element's events by name, for `addEventListener`. */
export type BindEventMap = { [Name in keyof BindEventDetails]: CustomEvent<BindEventDetails[Name]> }

/** `addEventListener` and `removeEventListener` with the types of the element's events. */
export type BindListening = {
  <Name extends keyof BindEventMap>(
    type: Name,
    listener: (event: BindEventMap[Name]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void
  (type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void
}

/** Dispatches the events for the change from `previous` to `state`. */
export function dispatchEvents(target: EventTarget, state: State, previous: State, event: MachineEvent): void {
  function emit<Name extends keyof BindEventDetails>(name: Name, detail: BindEventDetails[Name]): void {
    target.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }))
  }

  if (state.name !== previous.name) {
    emit('statechange', { state: state.name, previous: previous.name })
    if (state.name === 'scanned') emit('scanned', null)
    if (state.name === 'expired') emit('expired', null)
  }
  if (state.name === 'bound' && (previous.name !== 'bound' || state.boundAt !== previous.boundAt)) {
    emit('bound', { boundAt: state.boundAt, initial: state.initial })
  }
  if (previous.name === 'bound' && state.name === 'idle' && event.type !== 'stop') {
    emit('unbound', { reason: reasonOf(event) })
  }

  // In the states `loading` and `idle` the element has no QR code yet, so the notice is about an earlier QR code.
  if (event.type === 'answered' && event.view?.notice && previous.name !== 'loading' && previous.name !== 'idle') {
    emit('refused', { reason: event.view.notice })
  }

  const error = errorOf(state)
  if (error && error !== errorOf(previous)) {
    const { code, message, retryable, requestId } = error
    emit('binderror', { code, message, retryable, ...(requestId && { requestId }) })
  }
}

function reasonOf(event: MachineEvent): UnbindReason | undefined {
  return event.type === 'answered' && event.view && 'reason' in event.view ? event.view.reason : undefined
}

function errorOf(state: State): BindError | undefined {
  if (state.name === 'error') return state.error
  return 'failure' in state ? state.failure : undefined
}
