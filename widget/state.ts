/** The element's states: one type for each, with only the values that the state needs. */
import type { Confirm, FollowQr, Notice, QrPath } from '../server/wire.ts'
import type { Attempt } from './attempt.ts'
import type { BindError } from './bind-error.ts'

/**
 * A QR code that is valid until `deadline`, in ms of the monotonic clock. `account`: the name of the Official Account. `oauth`: a page
 * inside WeChat can bind without a scan.
 */
type Ticket = {
  url: string
  qr: QrPath
  code: string
  account: string | undefined
  oauth: true | undefined
  deadline: number
}
/** A scan that the server has refused. The card mentions it until `until`. */
export type Refused = { notice: Notice; until: number }

/** `halted`: `stop()` was called, so the element does not start when it is scrolled into view. */
type Idle = { name: 'idle'; halted: boolean }
/** `replace`: the server invalidates the current ticket; `initial`: nothing has been displayed yet; `proof`: of WeChat's authorization, which the server confirms instead of creating a QR code. */
export type Loading = {
  name: 'loading'
  attempt: Attempt
  replace: boolean
  initial: boolean
  refreshesLeft: number
  proof?: string | undefined
}
/** `isLeaving`: the user wants to go to WeChat's authorization; `failure`: why the page could not go there. */
export type Ready = {
  name: 'ready'
  attempt: Attempt
  version: number
  ticket: Ticket
  refreshesLeft: number
  refused?: Refused | undefined
  isLeaving?: true | undefined
  failure?: BindError | undefined
}
/** `code`: the digits that the server is checking; `failure`: why the previous digits were rejected. */
export type Scanned = {
  name: 'scanned'
  attempt: Attempt
  version: number
  confirm: Confirm
  code?: string | undefined
  failure?: BindError | undefined
}
/** `subscribed`: false if the user does not follow the Official Account, and `follow` is the QR code to follow it with. `boundAt` is in Unix seconds, as in the API. `attempt` is missing after polling has failed permanently. `failure`: the error of polling or unbinding. */
export type Bound = {
  name: 'bound'
  attempt?: Attempt | undefined
  version: number
  boundAt: number
  initial: boolean
  unbinding: boolean
  /** Set while a request checks whether the binding belongs to the token's user. */
  isChecked?: true | undefined
  subscribed?: false | undefined
  follow?: FollowQr | undefined
  failure?: BindError | undefined
}
/** The element keeps polling, because a user who scanned in time may tap "follow" later. */
export type Expired = { name: 'expired'; attempt?: Attempt | undefined; version: number; refreshesLeft: number }
type Offline = { name: 'offline'; initial: boolean }
/** `isUnstarted`: the element has sent no request, because the page has set neither a token nor a source of tokens. */
export type Failed = { name: 'error'; error: BindError; initial: boolean; isUnstarted?: boolean }

export type State = Idle | Loading | Ready | Scanned | Bound | Expired | Offline | Failed

/** The states' public names. */
export type StateName = State['name']

/** The states with a request. */
export type WithRequest = Loading | Ready | Scanned | ((Bound | Expired) & { attempt: Attempt })

export const initialState: State = { name: 'idle', halted: false }

export function hasRequest(state: State): state is WithRequest {
  return 'attempt' in state && !!state.attempt
}

/** Whether the user started the request (confirm, unbind, authorize and its proof). Such a request is neither repeated nor aborted. */
export function isUserRequest(state: WithRequest): boolean {
  const { proof, isLeaving, code, unbinding } = state as WithRequest & Partial<UserRequest>
  return !!(proof || isLeaving || code || unbinding)
}

/** A state has at most one of these. */
type UserRequest = Pick<Loading, 'proof'> & Pick<Ready, 'isLeaving'> & Pick<Scanned, 'code'> & Pick<Bound, 'unbinding'>
