/**
 * Applies an intent. One transaction reads the facts (the rows that the rules need), decides, and writes the changes and the
 * reply. If WeChat delivers the event again, WeChat gets the stored reply.
 */
import { randomInt } from 'node:crypto'
import type { Plan } from '../store/plan.ts'
import type { Change, Claimable, Language, Tx } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'
import { decideChatConfirm, decideLateTap, scanToConfirm } from './confirmation-rules.ts'
import type { Claim, Decision, Rules } from './decision.ts'
import type { Intent } from './intent.ts'
import { type ReplyName, type ReplyTexts, toText } from './replies.ts'
import {
  decideClaim,
  decideFollowed,
  decideUndo,
  decideUnsubscribe,
  type FollowerFacts,
  isSameDelivery,
} from './rules.ts'
import { repeatedScan, type ScanOutcome, toScanOutcome } from './scan-outcome.ts'

export type EventSettings = { appId: string; rules: Rules; texts: ReplyTexts; lang: Language }

/**
 * `reply` is the text for the chat, and `said` is its name. `isOurs` is false if the event is not about binding. A second
 * delivery has no `changes`. The outcome `replayed` means that the nonce was used before with another body.
 */
type Outcome =
  | {
      reply: string | null
      said?: ReplyName | undefined
      changes: Change[]
      isOurs: boolean
      scan?: ScanOutcome | undefined
    }
  | 'replayed'

/** A decision, and the outcome of the scan if the event is a scan. */
type Decided = Decision & { scan?: ScanOutcome }

/**
 * Identifies a delivery by the key of its event (`key`). In plain mode the nonce also identifies the delivery, and a nonce is
 * valid for one body only.
 */
type DeliveryId = { key: string; nonce?: { key: string; bodyDigest: string } | undefined }

// WeChat retries for about 20 s; ten minutes also cover a delay in a proxy's queue.
const REPLY_KEPT_MS = 600_000

// Prefix of the stored reply of a delivery that is not about binding. No reply starts with this prefix, because XML does not
// allow its character.
const NOT_OURS = '\u0001'

// WeChat may lose the scene of a new follower. The server then looks for the ticket among those of the last ten minutes, because
// a new follower leaves WeChat's page within minutes.
const RECENT_MS = 600_000

const HOUR_MS = 3_600_000
const WRONG_CODES_AN_HOUR = 5

/** A second delivery changes nothing and gets the reply of the first delivery. */
export async function applyIntent(
  { store, events, clock, afterCommit }: ChangeDeps & { events: EventSettings },
  deliveryId: DeliveryId,
  intent: Intent,
): Promise<Outcome> {
  const now = clock()
  const outcome = await store.write((tx) => decideAndWrite(tx, events, deliveryId, intent, now))
  if (outcome !== 'replayed') afterCommit(outcome.changes, outcome.said, outcome.scan)
  return outcome
}

function* decideAndWrite(
  tx: Tx,
  settings: EventSettings,
  deliveryId: DeliveryId,
  intent: Intent,
  now: number,
): Plan<Outcome> {
  if (deliveryId.nonce && !(yield* isNonceValid(tx, deliveryId.nonce, now))) return 'replayed'
  const delivery = tx.fingerprint(deliveryId.key)
  const { changes, reply, isOurs = true, scan } = yield* decide(tx, settings, intent, delivery, now)
  // This read comes after the decision, because the decision waits for the lock of the openid. An instance that applied the same
  // delivery has committed by then.
  const earlier = yield* tx.findDelivery(delivery)
  if (earlier !== undefined) {
    return { ...toOutcome(earlier), changes: [], scan: scan && repeatedScan(scan.identity) }
  }
  for (const change of changes) yield* tx.apply(change)
  const text = reply && toText(reply, settings.texts)
  // A used ticket stores its delivery, so it needs no row in `deliveries`. This saves 10 us of the 70 us of a callback.
  if (!changes.some((change) => change.type === 'close' && change.delivery === delivery)) {
    const user = reply?.label == null ? null : reply.user
    yield* tx.recordDelivery(delivery, isOurs ? text : NOT_OURS + (text ?? ''), now + REPLY_KEPT_MS, user)
  }
  return { reply: text, said: reply?.name, changes, isOurs, scan }
}

/** The stored reply, and whether the delivery was about binding. */
function toOutcome(kept: string | null): { reply: string | null; isOurs: boolean } {
  if (!kept?.startsWith(NOT_OURS)) return { reply: kept, isOurs: true }
  return { reply: kept.slice(NOT_OURS.length) || null, isOurs: false }
}

/** Returns true for a new nonce, and for a retry with the same body. */
function* isNonceValid(tx: Tx, { key, bodyDigest }: NonNullable<DeliveryId['nonce']>, now: number): Plan<boolean> {
  const nonce = tx.fingerprint(key)
  const seen = yield* tx.findDelivery(nonce)
  if (seen === undefined) yield* tx.recordDelivery(nonce, bodyDigest, now + REPLY_KEPT_MS)
  return seen === undefined || seen === bodyDigest
}

function decide(tx: Tx, settings: EventSettings, intent: Intent, delivery: string, now: number): Plan<Decided> {
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

function* claim(tx: Tx, settings: EventSettings, intent: ClaimIntent, delivery: string, now: number): Plan<Decided> {
  const claim = { ...intent.claim, delivery }
  if (claim.via === 'text') return yield* claimByCode(tx, settings, claim, intent.key, now)
  return yield* claimTicket(tx, settings, claim, yield* tx.ticketByScene(intent.key), now)
}

function* claimByCode(tx: Tx, settings: EventSettings, claim: Claim, code: string, now: number): Plan<Decided> {
  const { openid, appId } = claim
  const say = (name: 'wrong_code' | 'too_many_codes') => ({ name, lang: settings.lang, label: null })
  const found = yield* tx.ticketByCode(appId, code)
  if (found && isSameDelivery(claim, found.ticket)) return yield* claimTicket(tx, settings, claim, found, now)
  if ((yield* tx.wrongCodesSince(openid, now - HOUR_MS)) >= WRONG_CODES_AN_HOUR) {
    return withScan({ changes: [], reply: say('too_many_codes') }, found)
  }
  if (!found) return withScan({ changes: [{ type: 'wrongCode', openid, at: now }], reply: say('wrong_code') })
  return yield* claimTicket(tx, settings, claim, found, now)
}

function* claimTicket(
  tx: Tx,
  settings: EventSettings,
  claim: Claim,
  found: Claimable | undefined,
  now: number,
): Plan<Decided> {
  const owners = yield* tx.ownersOf(claim.appId, claim.openid)
  // A follow is recorded even if the ticket cannot be claimed.
  const isFollow = claim.via === 'subscribe' && !(found && isSameDelivery(claim, found.ticket))
  const followed = isFollow ? decideFollowed(claim.createTime, owners, now) : []
  // The scene has the prefix of this server but is not in the store, so its ticket expired and was deleted.
  if (!found) return withScan({ changes: followed, reply: { name: 'expired', lang: settings.lang, label: null } })
  const { confirm } = settings.rules
  const facts = {
    ...found,
    owners,
    unfollowedAt: yield* tx.unfollowedAt(claim.appId, claim.openid),
    unconfirmed: confirm === 'off' ? [] : yield* tx.scannedBy(claim.appId, claim.openid),
    digits: confirm === 'code' ? String(randomInt(10_000)).padStart(4, '0') : '',
  }
  const { changes, reply } = decideClaim(claim, facts, settings.rules, now)
  return withScan({ changes: [...followed, ...changes], reply }, found)
}

const withScan = (decision: Decision, found?: Claimable): Decided => ({
  ...decision,
  scan: toScanOutcome(decision, found?.user.identity, found?.ticket.state.name),
})

function* follow(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime, isSceneLost }: Extract<Intent, { type: 'follow' }>,
  now: number,
): Plan<Decided> {
  const changes = decideFollowed(createTime, yield* tx.ownersOf(appId, openid), now)
  const asksAgain = isSceneLost && (yield* tx.isAnyPending(appId, now - RECENT_MS))
  return asksAgain
    ? withScan({ changes, reply: { name: 'scan_again', lang, label: null } })
    : { changes, reply: null, isOurs: false }
}

function* followerFacts(tx: Tx, appId: string, openid: string): Plan<FollowerFacts> {
  return {
    owners: yield* tx.ownersOf(appId, openid),
    unconfirmed: yield* tx.scannedBy(appId, openid),
    authorizations: yield* tx.authorizationsBy(appId, openid),
  }
}

function* unfollow(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime, erases }: Extract<Intent, { type: 'unfollow' }>,
  now: number,
): Plan<Decision> {
  const follower = { appId, openid, createTime, erases }
  return decideUnsubscribe(follower, yield* followerFacts(tx, appId, openid), rules, now)
}

function* confirm(
  tx: Tx,
  { appId, rules, lang }: EventSettings,
  { openid, createTime, question }: Extract<Intent, { type: 'confirm' }>,
  now: number,
): Plan<Decided> {
  const ticket = scanToConfirm(yield* tx.scannedBy(appId, openid), question, now)
  if (!ticket && question !== undefined) {
    const found = yield* tx.ticketById(question)
    return withScan(decideLateTap({ appId, openid }, found, lang), found)
  }
  const user = ticket && (yield* tx.userById(ticket.user))
  if (!user) return { changes: [], reply: null, isOurs: false }
  const owners = yield* tx.ownersOf(appId, openid)
  const decision = decideChatConfirm(createTime, { ticket, user, owners }, rules, now)
  return decision.isOurs === false ? decision : withScan(decision, { ticket, user })
}

function* undo(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime }: Extract<Intent, { type: 'undo' }>,
  now: number,
): Plan<Decision> {
  return decideUndo({ appId, openid, createTime }, yield* followerFacts(tx, appId, openid), lang, now)
}
