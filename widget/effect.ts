/** The effect that a state requires. A pure function: the controller runs the effect. */
import { hasRequest, isUserRequest, type State } from './state.ts'

/**
 * The number of polls while a bound element shows the QR code for following the account: 12 waits of 25 s, as after the
 * expiry of a QR code.
 */
const FOLLOW_POLLS = 12

/**
 * The name of an effect. `none`: nothing runs. `token`: the element waits until the page sets a token or a source of
 * tokens. `look`: one request for the binding. `create`: a request for a QR code. `count`: only the countdown. `ask`: a
 * request that the user started. `wait`: a poll. When the name changes, the controller aborts the running effect and
 * starts the new one.
 */
export type Effect = 'none' | 'token' | 'look' | `${'create' | 'count' | 'ask'}:${number}` | `wait:${number}.${number}`

/**
 * Returns the effect that `state` requires. `lacksToken`: the element is in view, and the page has set neither a token
 * nor a source of tokens. `looks`: the element is the button of a closed dialog. A bound element polls only if `watch`
 * is set, or while it shows the QR code for following the account. An element in a hidden tab sends no new requests and
 * completes only the requests that the user started.
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
