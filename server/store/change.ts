/** The changes that a decision consists of. */
import type { Notice, UnbindReason } from '../wire.ts'
import type { ConsoleAction } from './console-store.ts'
import type { BindReason, Language } from './identity.ts'
import type { AskedBinding } from './unionid-store.ts'
import type { Binding, PendingConfirmation } from './user.ts'

/** One change of a decision, applied in the transaction that has read the facts for it. */
export type Change =
  /** `shownAt`: when the scanned ticket was created. */
  | { type: 'bind'; user: number; binding: Binding; reason: BindReason; at: number; shownAt?: number }
  /** Also closes every ticket and authorization of the user, so that nothing requested earlier can bind. */
  | { type: 'unbind'; user: number; reason: UnbindReason; at: number }
  /** Adds an event only if the value has changed. */
  | { type: 'setSubscribed'; user: number; subscribed: boolean; eventTime: number; at: number }
  /** Has no effect unless the openid is bound to the user. `unionid` null: the account has none. */
  | { type: 'setUnionid'; user: number; openid: string; unionid: string | null; at: number }
  /** WeChat has answered that the openid follows the account. Has no effect if a follow or an unfollow was applied since the question. */
  | ({ type: 'setFollowing'; user: number; openid: string; at: number } & AskedBinding)
  /** Used after an account migration. Has no effect unless `from` is bound to the user. The unit has locked both openids. */
  | { type: 'moveOpenid'; user: number; from: AccountOpenid; to: AccountOpenid; at: number }
  /** Deletes the data of a user that has no binding. `Store.purgeErased` completes the erasure. */
  | { type: 'erase'; user: number; at: number }
  | { type: 'scan'; ticket: number; user: number; confirmation: PendingConfirmation }
  /** Raises the version, so that the pages show the notice. */
  | { type: 'refuse'; user: number; notice: Notice; at: number }
  | { type: 'relabel'; ticket: number; label: string | null; lang: Language }
  | { type: 'wrongDigits'; ticket: number; triesLeft: number }
  /** `delivery`: the fingerprint of the delivery that closes the ticket, by which a repeated delivery is recognized. */
  | {
      type: 'close'
      ticket: number
      user: number
      as: 'used' | 'replaced' | 'dead'
      bumpsVersion: boolean
      delivery?: string
    }
  /**
   * Closes every ticket of the user that could still bind, except `ticket`. Without `ticket`, it also closes the authorizations, and
   * invalidates QR codes that are being requested from WeChat. Raises the version only if it closed a ticket.
   */
  | { type: 'closeTickets'; user: number; ticket?: number; bumpsVersion: boolean }
  /** The browser came back from WeChat. */
  | { type: 'exchange'; authorization: number }
  /** WeChat has returned the openid. The page can confirm it with `proof` until `until`. */
  | { type: 'prove'; authorization: number; proof: string; openid: string; until: number }
  /** Removes the openid and the proof. */
  | { type: 'closeAuthorization'; authorization: number }
  | { type: 'recordUnfollow'; appId: string; openid: string; eventTime: number; until: number }
  | { type: 'wrongCode'; openid: string; at: number }
  /** Records what an operator did in the console. `subject` instead of `user`: the user is erased, and this is its hash. */
  | ({ type: 'recordAction'; operator: string; action: ConsoleAction; at: number } & (
      | { user: number }
      | { subject: string }
    ))

/** A WeChat user's name at one Official Account. */
export type AccountOpenid = { appId: string; openid: string }
