/** Applies an intent: reads the facts, decides and writes in one transaction, and keeps the reply for a second delivery. */
import { randomInt } from 'node:crypto'
import type { Plan } from '../store/plan.ts'
import type { Change, Claimable, Language, Tx } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'
import type { Intent } from './intent.ts'
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
type Outcome = { reply: string | null; said?: ReplyName | undefined; changes: Change[]; isOurs: boolean } | 'replayed'

/** What makes a delivery this one: the fact it tells, and in plain mode the nonce that may not come with another body. */
type DeliveryId = { key: string; nonce?: { key: string; bodyDigest: string } | undefined }

// WeChat gives up after some 20 s; ten minutes outlive every queue on the way.
const REPLY_KEPT_MS = 600_000

// Before what is kept of a delivery that did not concern us; no reply can hold it, being no character of XML.
const NOT_OURS = '\u0001'

// The page on which a scene gets lost is left within minutes.
const RECENT_MS = 600_000

const HOUR_MS = 3_600_000
const WRONG_CODES_AN_HOUR = 5

/** A second delivery changes nothing and gets the reply of the first. */
export async function applyIntent(
  { store, events, clock, afterCommit }: ChangeDeps & { events: EventSettings },
  deliveryId: DeliveryId,
  intent: Intent,
): Promise<Outcome> {
  const now = clock()
  const outcome = await store.write((tx) => unit(tx, events, deliveryId, intent, now))
  if (outcome !== 'replayed') afterCommit(outcome.changes, outcome.said)
  return outcome
}

function* unit(tx: Tx, settings: EventSettings, deliveryId: DeliveryId, intent: Intent, now: number): Plan<Outcome> {
  if (deliveryId.nonce && !(yield* isFirstUse(tx, deliveryId.nonce, now))) return 'replayed'
  const delivery = tx.fingerprint(deliveryId.key)
  const { changes, reply, isOurs = true } = yield* decide(tx, settings, intent, delivery, now)
  // Not before: a decision has locked the openid, and so waited for the same delivery that came to another instance.
  const earlier = yield* tx.findDelivery(delivery)
  if (earlier !== undefined) return { ...fromMemory(earlier), changes: [] }
  for (const change of changes) yield* tx.apply(change)
  const text = reply && toText(reply, settings.texts)
  // The ticket itself remembers what bound it: a row less, which is 10 us of a callback's 70.
  if (!changes.some((change) => change.type === 'close' && change.delivery === delivery)) {
    yield* tx.recordDelivery(delivery, isOurs ? text : NOT_OURS + (text ?? ''), now + REPLY_KEPT_MS)
  }
  return { reply: text, said: reply?.name, changes, isOurs }
}

/** The reply that was kept, and whether another system may answer instead. */
function fromMemory(kept: string | null): { reply: string | null; isOurs: boolean } {
  if (!kept?.startsWith(NOT_OURS)) return { reply: kept, isOurs: true }
  return { reply: kept.slice(NOT_OURS.length) || null, isOurs: false }
}

/** The first use of a nonce, or a retry of it: the same body again. */
function* isFirstUse(tx: Tx, { key, bodyDigest }: NonNullable<DeliveryId['nonce']>, now: number): Plan<boolean> {
  const nonce = tx.fingerprint(key)
  const seen = yield* tx.findDelivery(nonce)
  if (seen === undefined) yield* tx.recordDelivery(nonce, bodyDigest, now + REPLY_KEPT_MS)
  return seen === undefined || seen === bodyDigest
}

function decide(tx: Tx, settings: EventSettings, intent: Intent, delivery: string, now: number): Plan<Decision> {
  switch (intent.type) {
    case 'claim':
      return claim(tx, settings, intent, delivery, now)
    case 'follow':
      return follow(tx, settings, intent, now)
    case 'unfollow':
      return unfollow(tx, settings, intent, now)
    case 'confirm':
      return confirm(tx, settings, intent, now)
    case 'undo':
      return undo(tx, settings, intent, now)
  }
}

type ClaimIntent = Extract<Intent, { type: 'claim' }>

function* claim(tx: Tx, settings: EventSettings, intent: ClaimIntent, delivery: string, now: number): Plan<Decision> {
  const claim = { ...intent.claim, delivery }
  if (claim.via === 'text') return yield* claimByCode(tx, settings, claim, intent.key, now)
  return yield* claimTicket(tx, settings, claim, yield* tx.ticketByScene(intent.key), now)
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
    unfollowedAt: yield* tx.unfollowedAt(claim.appId, claim.openid),
    unconfirmed: confirm === 'off' ? [] : yield* tx.scannedBy(claim.appId, claim.openid),
    digits: confirm === 'code' ? String(randomInt(10_000)).padStart(4, '0') : '',
  }
  const { changes, reply } = decideClaim(claim, facts, settings.rules, now)
  return { changes: [...followed, ...changes], reply }
}

function* follow(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime, isSceneLost }: Extract<Intent, { type: 'follow' }>,
  now: number,
): Plan<Decision> {
  const changes = decideFollowed(createTime, yield* tx.ownersOf(appId, openid))
  const asksAgain = isSceneLost && (yield* tx.isAnyPending(appId, now - RECENT_MS))
  return asksAgain
    ? { changes, reply: { name: 'scan_again', lang, label: null } }
    : { changes, reply: null, isOurs: false }
}

function* followerFacts(tx: Tx, appId: string, openid: string): Plan<FollowerFacts> {
  return { owners: yield* tx.ownersOf(appId, openid), unconfirmed: yield* tx.scannedBy(appId, openid) }
}

function* unfollow(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime }: Extract<Intent, { type: 'unfollow' }>,
  now: number,
): Plan<Decision> {
  return decideUnsubscribe({ appId, openid, createTime }, yield* followerFacts(tx, appId, openid), rules, now)
}

function* confirm(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime }: Extract<Intent, { type: 'confirm' }>,
  now: number,
): Plan<Decision> {
  const [ticket] = yield* tx.scannedBy(appId, openid)
  const user = ticket && (yield* tx.userById(ticket.user))
  if (!user) return { changes: [], reply: null, isOurs: false }
  return decideChatConfirm(createTime, { ticket, user, owners: yield* tx.ownersOf(appId, openid) }, rules, now)
}

function* undo(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime }: Extract<Intent, { type: 'undo' }>,
  now: number,
): Plan<Decision> {
  return decideUndo({ appId, openid, createTime }, yield* followerFacts(tx, appId, openid), lang, now)
}
