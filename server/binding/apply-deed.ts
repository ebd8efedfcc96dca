/** A deed, done: facts read, decided and written in one transaction, the reply kept for a second delivery. */
import { randomInt } from 'node:crypto'
import type { Plan } from '../store/plan.ts'
import type { Change, Claimable, Language, Store, Tx } from '../store/store.ts'
import type { Deed } from './deed.ts'
import { type ReplyName, type ReplyTexts, toText } from './replies.ts'
import {
  type Claim,
  type Decision,
  decideChatConfirm,
  decideClaim,
  decideFollowed,
  decideUndo,
  decideUnsubscribe,
  type FollowerFacts,
  isRepetition,
  type Rules,
} from './rules.ts'

export type EventSettings = { appId: string; rules: Rules; texts: ReplyTexts; lang: Language }

/** What to say in the chat (null: nothing) and what that is called, and what was changed (nothing by a second delivery). */
export type Outcome =
  | { reply: string | null; said?: ReplyName | undefined; changes: Change[]; isOurs: boolean }
  | 'replayed'

/** What makes a delivery this one: the fact it tells, and in plain mode the nonce that may not come with another body. */
export type Delivery = { key: string; nonce?: { key: string; bodyDigest: string } | undefined }

// WeChat gives up after some 20 s; ten minutes outlive every queue on the way.
const REPLY_KEPT_MS = 600_000

// Before what is kept of a delivery that did not concern us; no reply can hold it, being no character of XML.
const NOT_OURS = '\u0001'

// The page on which a scene gets lost is left within minutes.
const RECENT_MS = 600_000

const HOUR_MS = 3_600_000
const WRONG_CODES_AN_HOUR = 5

/** A second delivery changes nothing and gets the reply of the first. */
export function applyDeed(
  store: Store,
  settings: EventSettings,
  delivery: Delivery,
  deed: Deed,
  now: number,
): Promise<Outcome> {
  return store.write((tx) => unit(tx, settings, delivery, deed, now))
}

function* unit(tx: Tx, settings: EventSettings, delivery: Delivery, deed: Deed, now: number): Plan<Outcome> {
  if (delivery.nonce && !(yield* isFirstUse(tx, delivery.nonce, now))) return 'replayed'
  const by = tx.fingerprint(delivery.key)
  const { changes, reply, isOurs = true } = yield* decide(tx, settings, deed, by, now)
  // Not before: a decision has locked the openid, and so waited for the same delivery that came to another instance.
  const earlier = yield* tx.recall(by)
  if (earlier !== undefined) return { ...fromMemory(earlier), changes: [] }
  for (const change of changes) yield* tx.apply(change)
  const text = reply && toText(reply, settings.texts)
  // The ticket itself remembers what bound it: a row less, which is 10 us of a callback's 70.
  if (!changes.some((change) => change.type === 'close' && change.by === by)) {
    yield* tx.remember(by, isOurs ? text : NOT_OURS + (text ?? ''), now + REPLY_KEPT_MS)
  }
  return { reply: text, said: reply?.name, changes, isOurs }
}

/** The reply that was kept, and whether another system may answer instead. */
function fromMemory(kept: string | null): { reply: string | null; isOurs: boolean } {
  if (!kept?.startsWith(NOT_OURS)) return { reply: kept, isOurs: true }
  return { reply: kept.slice(NOT_OURS.length) || null, isOurs: false }
}

/** The first use of a nonce, or a retry of it: the same body again. */
function* isFirstUse(tx: Tx, { key, bodyDigest }: NonNullable<Delivery['nonce']>, now: number): Plan<boolean> {
  const nonce = tx.fingerprint(key)
  const seen = yield* tx.recall(nonce)
  if (seen === undefined) yield* tx.remember(nonce, bodyDigest, now + REPLY_KEPT_MS)
  return seen === undefined || seen === bodyDigest
}

function decide(tx: Tx, settings: EventSettings, deed: Deed, by: string, now: number): Plan<Decision> {
  switch (deed.type) {
    case 'claim':
      return claim(tx, settings, deed, by, now)
    case 'follow':
      return follow(tx, settings, deed, now)
    case 'unfollow':
      return unfollow(tx, settings, deed, now)
    case 'confirm':
      return confirm(tx, settings, deed, now)
    case 'undo':
      return undo(tx, settings, deed, now)
  }
}

type ClaimDeed = Extract<Deed, { type: 'claim' }>

function* claim(tx: Tx, settings: EventSettings, deed: ClaimDeed, by: string, now: number): Plan<Decision> {
  const claim = { ...deed.claim, by }
  if (claim.via === 'text') return yield* claimByCode(tx, settings, claim, deed.key, now)
  return yield* claimTicket(tx, settings, claim, yield* tx.ticketByScene(deed.key), now)
}

function* claimByCode(tx: Tx, settings: EventSettings, claim: Claim, code: string, now: number): Plan<Decision> {
  const { openid, appId } = claim
  const say = (name: 'wrong_code' | 'too_many_codes') => ({ name, lang: settings.lang, label: null })
  const found = yield* tx.ticketByCode(appId, code)
  if (found && isRepetition(claim, found.ticket)) return yield* claimTicket(tx, settings, claim, found, now)
  if ((yield* tx.wrongCodesSince(openid, now - HOUR_MS)) >= WRONG_CODES_AN_HOUR) {
    return { changes: [], reply: say('too_many_codes') }
  }
  if (!found) return { changes: [{ type: 'wrongCode', openid, at: now }], reply: say('wrong_code') }
  return yield* claimTicket(tx, settings, claim, found, now)
}

function* claimTicket(
  tx: Tx,
  settings: EventSettings,
  claim: Claim,
  found: Claimable | undefined,
  now: number,
): Plan<Decision> {
  const owners = yield* tx.ownersOf(claim.appId, claim.openid)
  // Whatever becomes of the ticket, a follow is a follow.
  const isFollow = claim.via === 'subscribe' && !(found && isRepetition(claim, found.ticket))
  const followed = isFollow ? decideFollowed(claim.createTime, owners) : []
  // Ours by its prefix and yet unknown: so old that it was swept.
  if (!found) return { changes: followed, reply: { name: 'expired', lang: settings.lang, label: null } }
  const { confirm } = settings.rules
  const facts = {
    ...found,
    owners,
    erasedAt: yield* tx.erasedAt(claim.appId, claim.openid),
    holds: confirm === 'off' ? [] : yield* tx.heldBy(claim.appId, claim.openid),
    digits: confirm === 'code' ? String(randomInt(10_000)).padStart(4, '0') : '',
  }
  const { changes, reply } = decideClaim(claim, facts, settings.rules, now)
  return { changes: [...followed, ...changes], reply }
}

function* follow(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime, isSceneLost }: Extract<Deed, { type: 'follow' }>,
  now: number,
): Plan<Decision> {
  const changes = decideFollowed(createTime, yield* tx.ownersOf(appId, openid))
  const asksAgain = isSceneLost && (yield* tx.isAnyPending(appId, now - RECENT_MS))
  return asksAgain
    ? { changes, reply: { name: 'scan_again', lang, label: null } }
    : { changes, reply: null, isOurs: false }
}

function* followerFacts(tx: Tx, appId: string, openid: string): Plan<FollowerFacts> {
  return { owners: yield* tx.ownersOf(appId, openid), holds: yield* tx.heldBy(appId, openid) }
}

function* unfollow(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime }: Extract<Deed, { type: 'unfollow' }>,
  now: number,
): Plan<Decision> {
  return decideUnsubscribe({ appId, openid, createTime }, yield* followerFacts(tx, appId, openid), rules, now)
}

function* confirm(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime }: Extract<Deed, { type: 'confirm' }>,
  now: number,
): Plan<Decision> {
  const [ticket] = yield* tx.heldBy(appId, openid)
  const user = ticket && (yield* tx.userById(ticket.user))
  if (!user) return { changes: [], reply: null, isOurs: false }
  return decideChatConfirm(createTime, { ticket, user, owners: yield* tx.ownersOf(appId, openid) }, rules, now)
}

function* undo(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime }: Extract<Deed, { type: 'undo' }>,
  now: number,
): Plan<Decision> {
  return decideUndo({ appId, openid, createTime }, yield* followerFacts(tx, appId, openid), lang, now)
}
