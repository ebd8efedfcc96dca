/** The model of one tap inside WeChat: WeChat's web authorization, and the proof with which the page binds. */
import { bindUser, closeAuthorization, closeOpen, know, unbindUser } from './changes.ts'
import { refused, unfollowTime } from './claim.ts'
import { othersOf } from './confirm.ts'
import { countAttempt, isLimited } from './limits.ts'
import { type Answer, refusal } from './page.ts'
import { type Authorization, ownersOf, type State, type UserKey, userOf } from './state.ts'

const VALID_MS = 300_000

/** The page requests the URL of WeChat's authorization. */
export function* startAuthorization(m: State, key: UserKey): Generator<void, Answer> {
  yield
  know(m, key)
  if (isLimited(m, key, 'oauth')) return refusal('RATE_LIMITED')
  countAttempt(m, key, 'oauth')
  yield
  know(m, key)
  const times = { createdAt: m.now, until: m.now + VALID_MS }
  m.authorizations.set(`new ${m.authorizations.size}`, { user: key, state: 'requested', ...times, openid: null })
  return { started: true }
}

/**
 * The browser returns from WeChat, without a code if the user has declined. The result `exchanging` means that the
 * server now requests the openid from WeChat.
 */
export function* comeBack(m: State, hash: string, hasCode: boolean): Generator<void, Answer | 'exchanging'> {
  yield
  const authorization = m.authorizations.get(hash)
  if (!authorization) return { page: 'PROOF_EXPIRED' }
  if (authorization.state !== 'requested' || m.now >= authorization.until) return refusal('PROOF_EXPIRED')
  if (!hasCode) {
    closeAuthorization(m, hash)
    return refusal('DECLINED')
  }
  m.authorizations.set(hash, { ...authorization, state: 'exchanging' })
  return 'exchanging'
}

/** Continues after WeChat's answer with the openid. */
export function* exchange(m: State, hash: string, code: string): Generator<void, Answer> {
  yield
  const openid = m.exchanged.get(code)
  if (openid === undefined) return refusal('WECHAT')
  const authorization = m.authorizations.get(hash)
  // All authorizations of the user were closed after the request to WeChat.
  if (authorization?.state !== 'exchanging') return refusal('PROOF_EXPIRED')
  m.authorizations.set(hash, { ...authorization, state: 'proven', openid, until: m.now + VALID_MS })
  return { proof: true }
}

/** The page of a user sends the proof. Returns a refusal, or nothing if the user is bound. */
export function* prove(
  m: State,
  { hash, key, label }: { hash: string; key: UserKey; label: string | null },
): Generator<void, Answer | undefined> {
  yield
  const authorization = m.authorizations.get(hash)
  if (authorization?.state !== 'proven' || authorization.openid === null) return refusal('PROOF_EXPIRED')
  closeAuthorization(m, hash)
  if (authorization.user !== key) return refusal('FORBIDDEN')
  if (m.now >= authorization.until) return refusal('PROOF_EXPIRED')
  return bindByProof(m, key, authorization.openid, label)
}

function bindByProof(m: State, key: UserKey, openid: string, label: string | null): Answer | undefined {
  const { bound } = userOf(m, key)
  if (bound?.openid === openid) return undefined
  const others = othersOf(m, key, openid)
  if (m.settings.conflict === 'reject' && others.length > 0) {
    refused(m, key, 'conflict')
    return refusal('CONFLICT')
  }
  // An authorization contains no time from WeChat. The server uses the time of the newest event of the openid instead.
  const time = Math.max(unfollowTime(m, openid), ...ownersOf(m, openid).map((owner) => owner.bound?.time ?? 0))
  closeOpen(m, key)
  if (m.settings.conflict === 'replace') for (const other of others) unbindUser(m, other.key, 'replaced')
  if (bound) unbindUser(m, key, 'replaced')
  bindUser(m, key, { openid, unionid: null, subscribed: false, boundAt: m.now, time, label }, 'oauth')
  return undefined
}

/**
 * Closes the authorizations of an openid. After an unfollow or an unbinding in the chat, no proof of this openid may
 * bind.
 */
export function closeProven(m: State, openid: string): void {
  for (const [hash, authorization] of m.authorizations)
    if (isProvenBy(authorization, openid)) closeAuthorization(m, hash)
}

const isProvenBy = (authorization: Authorization, openid: string) => authorization.openid === openid
