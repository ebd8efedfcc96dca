/** A user's current state: the binding, and a scan that is not confirmed yet. */
import type { Confirm, Notice, UnbindReason } from '../wire.ts'
import type { BindReason, Identity, Language } from './identity.ts'

/** A WeChat account bound to a user. `eventTime` is the `CreateTime` (Unix s) of the newest event applied to the binding. */
export type Binding = {
  appId: string
  openid: string
  unionid: string | null
  subscribed: boolean
  /** Epoch ms by the server's clock. */
  boundAt: number
  eventTime: number
  /** The name of the user's account in chat messages, and the language of these messages. */
  label: string | null
  lang: Language
}

/** A scan that the user has not confirmed yet. It can be confirmed until `until` (epoch ms). */
export type PendingConfirmation = {
  confirm: Confirm
  openid: string
  eventTime: number
  until: number
  /** With `code`: the four digits that the chat shows and the user types into the page. */
  digits: string | null
  triesLeft: number
  reason: BindReason
}

/**
 * A `pending` ticket can be scanned. A `scanned` ticket waits for its confirmation. The other states are final. A `used` ticket was
 * closed by a scan or after a scan, with or without a binding; `delivery` is the fingerprint of the delivery that closed it.
 * A `replaced` ticket was closed because another ticket took its place. A `dead` ticket was closed after too many wrong digits.
 */
export type TicketState =
  | { name: 'pending' }
  | { name: 'scanned'; confirmation: PendingConfirmation }
  | { name: 'used'; delivery: string | null }
  | { name: 'replaced' }
  | { name: 'dead' }

/** The last refused scan of a user. Pages show it while `version` is the user's version. `at`: epoch ms. */
export type RefusedScan = { notice: Notice; version: number; at: number }

/** The part of a user that tells a waiting page whether to read the user. `isScanned`: a scan is not confirmed yet. */
export type UserVersion = Pick<User, 'version'> & { isScanned: boolean }

/** A user's present state. A user that the store does not know has id 0 and version 0. */
export type User = {
  id: number
  identity: Identity
  version: number
  /** Why the last binding was removed. */
  reason: UnbindReason | null
  binding: Binding | null
  confirmation: PendingConfirmation | null
  refusedScan: RefusedScan | null
}
