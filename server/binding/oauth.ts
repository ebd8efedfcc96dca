/**
 * Binds a user inside WeChat without a scan. Steps: the page asks for the URL of WeChat's authorization and goes there. WeChat sends the
 * browser back with a code, from which the server learns the openid. The browser returns to the page with a proof in the fragment.
 * The page confirms the proof with the widget token of its user. Only this last step binds.
 */
import { randomBytes } from 'node:crypto'
import { BindError, type ErrorCode } from '../errors.ts'
import type { OauthStates } from '../keys/oauth-state.ts'
import type { Authorization, Identity, Language, Tx, User } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'
import type { ChangeDeps } from './after-commit.ts'
import type { Rules } from './decision.ts'
import { countAttempt, type QrLimits } from './limits.ts'
import { decideProof, decideReturn } from './oauth-rules.ts'
import { authorizationOutcome } from './scan-outcome.ts'

type OauthDeps = ChangeDeps & {
  events: { appId: string; rules: Rules }
  wechat: WechatApi
}

type Start = {
  identity: Identity
  /** The URL of the page, which `parseReturn` has checked. */
  returnUrl: string
  /** The URL of this server's `/wechat/oauth`. */
  redirectUri: string
  /** WeChat's host for browsers. */
  openBase: string
  states: OauthStates
  limits: QrLimits
}

// WeChat's codes are valid for 5 minutes, too.
const VALID_MS = 300_000

/** Returns the URL of WeChat's authorization. Throws `RATE_LIMITED`. */
export async function startAuthorization({ store, events, clock }: OauthDeps, start: Start): Promise<string> {
  const { identity, returnUrl, redirectUri, openBase, states, limits } = start
  const { appId } = events
  const now = clock()
  await countAttempt(store, 'oauth', identity, limits, now)
  const state = states.create()
  await store.write(function* (tx) {
    const user = yield* tx.ensureUser(identity)
    yield* tx.addAuthorization({ user, appId, returnUrl, createdAt: now, until: now + VALID_MS }, state)
  })
  // WeChat requires this order of the parameters, and the fragment.
  const query = new URLSearchParams({
    appid: appId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'snsapi_base',
    state,
  })
  return `${openBase}/connect/oauth2/authorize?${query}#wechat_redirect`
}

/** The URL of the page to return to, with a proof or with the reason why there is none. */
export type Returned = { returnUrl: string } & ({ proof: string } | { refusal: BindError })

/**
 * Handles the browser's return from WeChat. `code` is undefined if the user declined. Throws `PROOF_EXPIRED` if the store does
 * not know the state, because the page to return to is then unknown.
 */
export async function completeAuthorization(
  deps: OauthDeps,
  state: string,
  code: string | undefined,
): Promise<Returned> {
  const { store, events, clock, afterCommit } = deps
  const now = clock()
  const taken = await store.write(function* (tx) {
    const authorization = yield* tx.authorizationByState(events.appId, state)
    if (!authorization) return undefined
    const { identity } = yield* tx.userById(authorization.user)
    const { changes, refusal } = decideReturn(authorization, code !== undefined, now)
    for (const change of changes) yield* tx.apply(change)
    return { authorization, identity, refusal }
  })
  if (!taken) throw unknownState()
  const { authorization, identity } = taken
  const { returnUrl } = authorization
  const refused = (refusal: BindError): Returned => {
    afterCommit([], undefined, authorizationOutcome(identity, refusal.code))
    return { returnUrl, refusal }
  }
  if (taken.refusal || code === undefined) return refused(refuse(taken.refusal ?? 'DECLINED'))
  try {
    const openid = await deps.wechat.exchangeCode(code)
    const proof = await prove(deps, authorization, openid)
    return proof === undefined ? refused(refuse('PROOF_EXPIRED')) : { returnUrl, proof }
  } catch (error) {
    if (error instanceof BindError) return refused(error)
    throw error
  }
}

/** Returns undefined if an unbinding or an erasure has closed the authorization while WeChat was asked. */
async function prove({ store, clock }: OauthDeps, { id }: Authorization, openid: string): Promise<string | undefined> {
  const proof = randomBytes(32).toString('base64url')
  const until = clock() + VALID_MS
  return store.write(function* (tx) {
    const authorization = yield* tx.authorizationById(id)
    if (authorization?.state.name !== 'exchanging') return undefined
    yield* tx.apply({ type: 'prove', authorization: id, proof, openid, until })
    return proof
  })
}

type Confirmation = { identity: Identity; label: string | null; lang: Language; proof: string }

/** Binds the user of the page's widget token. Throws `PROOF_EXPIRED`, `FORBIDDEN` or `CONFLICT`. */
export async function confirmAuthorization(
  { store, events, clock, afterCommit }: OauthDeps,
  { identity, label, lang, proof }: Confirmation,
): Promise<User> {
  const now = clock()
  // The refusal is thrown after the commit, because an error inside the transaction would roll back its changes.
  const { user, changes, refusal } = await store.write(function* (tx) {
    const facts = yield* factsOf(tx, events.appId, identity, proof)
    const { changes, refusal } = decideProof(facts, { label, lang }, events.rules, now)
    for (const change of changes) yield* tx.apply(change)
    return { user: refusal ? facts.user : yield* tx.userById(facts.user.id), changes, refusal }
  })
  const isBound = changes.some(({ type }) => type === 'bind')
  afterCommit(changes, undefined, authorizationOutcome(identity, refusal ?? (isBound ? 'bound' : 'already_bound')))
  if (refusal) throw refuse(refusal)
  return user
}

function* factsOf(tx: Tx, appId: string, identity: Identity, proof: string) {
  const authorization = yield* tx.authorizationByProof(appId, proof)
  const user = yield* tx.userOf(identity)
  if (authorization?.state.name !== 'proven') return { authorization, user, owners: [], unfollowedAt: undefined }
  const { openid } = authorization.state
  const owners = yield* tx.ownersOf(appId, openid)
  return { authorization, user, owners, unfollowedAt: yield* tx.unfollowedAt(appId, openid) }
}

const refusals: Partial<Record<ErrorCode, string>> = {
  DECLINED: 'The user declined in WeChat: start again from the page.',
  PROOF_EXPIRED: 'This authorization has expired or was used before: start again from the page.',
  FORBIDDEN: 'Another user of the page started this authorization: start again from the page.',
  CONFLICT: 'This WeChat is bound to another account: unbind it there, or use another WeChat.',
}

export const unknownState = () => refuse('PROOF_EXPIRED')

const refuse = (code: ErrorCode) => new BindError(code, refusals[code] ?? '')
