/** The effect that a state requires. A pure function: the controller runs the effect. */
import { hasRequest, isUserRequest, type State } from './state.ts'

/** A bound element that shows the QR code to follow with polls as long as an expired one: 12 waits of 25 s. */
const FOLLOW_POLLS = 12

/**
 * Nothing, a request, only the countdown, the wait until the page sets a token or a source of tokens (`token`), or one request for
 * the binding (`look`). When the string changes, the controller aborts the effect and starts the next.
 */
export type Effect = 'none' | 'token' | 'look' | `${'create' | 'count' | 'ask'}:${number}` | `wait:${number}.${number}`

/**
 * The effect that `state` requires. `lacksToken`: the element is in view, and the page has set neither a token nor a source of
 * tokens. `looks`: the element is the button of a closed dialog. A bound element sends no requests unless `watch` is set, or it
 * shows the QR code to follow with. A hidden element sends no new requests; it only completes those that the user started.
 */
export function effectOf(
  state: State,
  { watch = false, visible = true, lacksToken = false, looks = false } = {},
): Effect {
  if (state.name === 'idle' && !state.halted && visible) return lacksToken ? 'token' : looks ? 'look' : 'none'
  if (!hasRequest(state)) return 'none'
  if (isUserRequest(state)) return `ask:${'version' in state ? state.version : state.attempt.turn}`
  if (state.name === 'bound' && !watch && !state.isChecked) {
    if (!state.follow || looks || state.attempt.turn >= FOLLOW_POLLS) return 'none'
  }
  if (!visible) return state.name === 'ready' ? `count:${state.version}` : 'none'
  return state.name === 'loading' ? `create:${state.attempt.turn}` : `wait:${state.version}.${state.attempt.turn}`
}
