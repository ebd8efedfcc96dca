/** The element's states. Each state has its own type, with only the values that the state needs. */
import type { Confirm, FollowQr, Notice, QrPath } from '../server/wire.ts'
import type { Attempt } from './attempt.ts'
import type { BindError } from './bind-error.ts'

/**
 * A QR code that is valid until `deadline`, in ms of the clock in clock.ts. `account` is the name of the Official
 * Account. `oauth` means that a page inside WeChat can bind without a scan.
 */
type Ticket = {
  url: string
  qr: QrPath
  code: string
  account: string | undefined
  oauth: true | undefined
  deadline: number
}
/** A scan that the server has refused. The card mentions the refusal until the time `until`. */
export type Refused = { notice: Notice; until: number }

/** `halted`: `stop()` was called, so the element does not start when it is scrolled into view. */
type Idle = { name: 'idle'; halted: boolean }
/**
 * `replace`: the server must invalidate the current QR code. `initial`: the element has not displayed anything yet.
 * `proof`: the proof of WeChat's authorization. With a proof, the element asks the server to confirm it and requests no
 * QR code.
 */
export type Loading = {
  name: 'loading'
  attempt: Attempt
  replace: boolean
  initial: boolean
  refreshesLeft: number
  proof?: string | undefined
}
/**
 * `isLeaving`: the user has pressed the button that opens WeChat's authorization. `failure`: the reason why the page
 * could not open it.
 */
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
/**
 * `code`: the digits that the server is checking. `failure`: the reason why the server rejected the previous digits.
 */
export type Scanned = {
  name: 'scanned'
  attempt: Attempt
  version: number
  confirm: Confirm
  code?: string | undefined
  failure?: BindError | undefined
}
/**
 * `boundAt` is in Unix seconds, as in the API. `subscribed` is false if the user does not follow the Official Account;
 * `follow` is then the QR code for following the account. `attempt` is missing after polling has failed permanently.
 * `failure` is the error of polling or unbinding.
 */
export type Bound = {
  name: 'bound'
  attempt?: Attempt | undefined
  version: number
  boundAt: number
  initial: boolean
  unbinding: boolean
  /** Set while a request checks whether the displayed binding belongs to the user of the token. */
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

/** The states in which the element sends requests. */
export type WithRequest = Loading | Ready | Scanned | ((Bound | Expired) & { attempt: Attempt })

export const initialState: State = { name: 'idle', halted: false }

export function hasRequest(state: State): state is WithRequest {
  return 'attempt' in state && !!state.attempt
}

/**
 * Whether the user started the request: confirm, unbind, authorize, or the request with the proof. The element does not
 * repeat or abort such a request.
 */
export function isUserRequest(state: WithRequest): boolean {
  const { proof, isLeaving, code, unbinding } = state as WithRequest & Partial<UserRequest>
  return !!(proof || isLeaving || code || unbinding)
}

/** The fields that mark a request of the user. A state has at most one of them. */
type UserRequest = Pick<Loading, 'proof'> & Pick<Ready, 'isLeaving'> & Pick<Scanned, 'code'> & Pick<Bound, 'unbinding'>
