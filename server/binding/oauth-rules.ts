/**
 * The rules of a binding without a scan, as pure functions. WeChat identifies the WeChat user of the browser, and the widget
 * token identifies the user of the page. The proof connects the two users: it is sent only to the browser that WeChat has
 * identified, and is accepted only with the widget token of the user who started the authorization. So a link that an attacker
 * sends to another person binds nobody.
 */
import type { ErrorCode } from '../errors.ts'
import type { Authorization, Binding, Change, Language, User } from '../store/store.ts'
import { isBoundTo, isTaken, noticeTo, type Rules, toBindChanges } from './decision.ts'

/** `refusal`: why the authorization is refused. */
export type OauthDecision = { changes: Change[]; refusal?: Extract<ErrorCode, OauthRefusal> | undefined }

type OauthRefusal = 'DECLINED' | 'PROOF_EXPIRED' | 'FORBIDDEN' | 'CONFLICT'

const closed = ({ id }: Authorization): Change => ({ type: 'closeAuthorization', authorization: id })

/** Decides when the browser comes back from WeChat. WeChat leaves out the code if the user declined. */
export function decideReturn(authorization: Authorization, hasCode: boolean, now: number): OauthDecision {
  if (authorization.state.name !== 'requested' || now >= authorization.until) {
    return { changes: [], refusal: 'PROOF_EXPIRED' }
  }
  if (!hasCode) return { changes: [closed(authorization)], refusal: 'DECLINED' }
  return { changes: [{ type: 'exchange', authorization: authorization.id }] }
}

type ProofFacts = {
  /** The authorization of the proof. */
  authorization: Authorization | undefined
  /** The user of the page's widget token. */
  user: User
  /** Every user to whom the openid is bound, in all tenants. */
  owners: User[]
  /** `CreateTime` of the openid's last unfollow. */
  unfollowedAt: number | undefined
}

/** The account's name and the language in the chat, from the page that confirms. */
type Labels = { label: string | null; lang: Language }

/** Decides when the page confirms the proof. A proof can be used once, whatever the decision is. */
export function decideProof(facts: ProofFacts, labels: Labels, rules: Rules, now: number): OauthDecision {
  const { authorization, user, owners } = facts
  if (authorization?.state.name !== 'proven') return { changes: [], refusal: 'PROOF_EXPIRED' }
  const close = closed(authorization)
  if (authorization.user !== user.id) return { changes: [close], refusal: 'FORBIDDEN' }
  if (now >= authorization.until) return { changes: [close], refusal: 'PROOF_EXPIRED' }
  const { appId } = authorization
  const { openid } = authorization.state
  if (isBoundTo(user, { appId, openid })) return { changes: [close] }
  if (isTaken(owners, user.identity, rules)) {
    return { changes: [close, ...noticeTo(user, 'conflict', now)], refusal: 'CONFLICT' }
  }
  const binding: Binding = {
    appId,
    openid,
    unionid: null,
    // A user can authorize without following the account. The server asks WeChat after the binding.
    subscribed: false,
    boundAt: now,
    eventTime: lastEventTime(facts),
    ...labels,
  }
  const bound = { binding, reason: 'oauth', shownAt: authorization.createdAt } as const
  return { changes: [close, ...toBindChanges({ user, owners }, bound, rules, now)] }
}

/**
 * The `CreateTime` of the newest event of the openid that was applied. An authorization has no `CreateTime`. The time of this
 * server's clock cannot replace it: with a fast clock, the next unfollow or follow would be ignored.
 */
function lastEventTime({ owners, unfollowedAt = 0 }: ProofFacts): number {
  return Math.max(unfollowedAt, ...owners.map(({ binding }) => binding?.eventTime ?? 0))
}
