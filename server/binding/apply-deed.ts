/** A deed, done: facts read, decided and written in one transaction, the reply kept for a second delivery. */
import { randomInt } from 'node:crypto'
import type { Change, Language, Store, Ticket, Tx } from '../store/store.ts'
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
  return store.write(async (tx) => {
    if (delivery.nonce && !(await isFirstUse(tx, delivery.nonce, now))) return 'replayed'
    const earlier = await tx.recall(delivery.key)
    if (earlier !== undefined) return { reply: earlier, changes: [], isOurs: true }
    const { changes, reply, isOurs = true } = await decide(tx, settings, deed, now)
    for (const change of changes) await tx.apply(change)
    const text = reply && toText(reply, settings.texts)
    await tx.remember(delivery.key, text, now + REPLY_KEPT_MS)
    return { reply: text, said: reply?.name, changes, isOurs }
  })
}

/** The first use of a nonce, or a retry of it: the same body again. */
async function isFirstUse(tx: Tx, { key, bodyDigest }: NonNullable<Delivery['nonce']>, now: number): Promise<boolean> {
  const seen = await tx.recall(key)
  if (seen === undefined) await tx.remember(key, bodyDigest, now + REPLY_KEPT_MS)
  return seen === undefined || seen === bodyDigest
}

function decide(tx: Tx, settings: EventSettings, deed: Deed, now: number): Promise<Decision> {
  switch (deed.type) {
    case 'claim':
      return deed.claim.via === 'text' ? claimByCode(tx, settings, deed, now) : claimByScene(tx, settings, deed, now)
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

async function claimByScene(tx: Tx, settings: EventSettings, { claim, key }: ClaimDeed, now: number) {
  return claimTicket(tx, settings, claim, await tx.ticketByScene(key), now)
}

async function claimByCode(tx: Tx, settings: EventSettings, { claim, key }: ClaimDeed, now: number): Promise<Decision> {
  const { openid, appId } = claim
  const say = (name: 'wrong_code' | 'too_many_codes') => ({ name, lang: settings.lang, label: null })
  if ((await tx.wrongCodesSince(openid, now - HOUR_MS)) >= WRONG_CODES_AN_HOUR) {
    return { changes: [], reply: say('too_many_codes') }
  }
  const ticket = await tx.ticketByCode(appId, key)
  if (!ticket) return { changes: [{ type: 'wrongCode', openid, at: now }], reply: say('wrong_code') }
  return claimTicket(tx, settings, claim, ticket, now)
}

async function claimTicket(
  tx: Tx,
  settings: EventSettings,
  claim: Claim,
  ticket: Ticket | undefined,
  now: number,
): Promise<Decision> {
  const owners = await tx.ownersOf(claim.appId, claim.openid)
  // Whatever becomes of the ticket, a follow is a follow.
  const followed = claim.via === 'subscribe' ? decideFollowed(claim.createTime, owners) : []
  // Ours by its prefix and yet unknown: so old that it was swept.
  if (!ticket) return { changes: followed, reply: { name: 'expired', lang: settings.lang, label: null } }
  const facts = {
    ticket,
    user: await tx.userById(ticket.user),
    owners,
    erasedAt: await tx.erasedAt(claim.appId, claim.openid),
    holds: await tx.heldBy(claim.appId, claim.openid),
    digits: String(randomInt(10_000)).padStart(4, '0'),
  }
  const { changes, reply } = decideClaim(claim, facts, settings.rules, now)
  return { changes: [...followed, ...changes], reply }
}

async function follow(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime, isSceneLost }: Extract<Deed, { type: 'follow' }>,
  now: number,
): Promise<Decision> {
  const changes = decideFollowed(createTime, await tx.ownersOf(appId, openid))
  const asksAgain = isSceneLost && (await tx.isAnyPending(appId, now - RECENT_MS))
  return asksAgain
    ? { changes, reply: { name: 'scan_again', lang, label: null } }
    : { changes, reply: null, isOurs: false }
}

async function followerFacts(tx: Tx, appId: string, openid: string) {
  return { owners: await tx.ownersOf(appId, openid), holds: await tx.heldBy(appId, openid) }
}

async function unfollow(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime }: Extract<Deed, { type: 'unfollow' }>,
  now: number,
) {
  return decideUnsubscribe({ appId, openid, createTime }, await followerFacts(tx, appId, openid), rules, now)
}

async function confirm(
  tx: Tx,
  { appId, rules }: EventSettings,
  { openid, createTime }: Extract<Deed, { type: 'confirm' }>,
  now: number,
): Promise<Decision> {
  const [ticket] = await tx.heldBy(appId, openid)
  const user = ticket && (await tx.userById(ticket.user))
  if (!user) return { changes: [], reply: null, isOurs: false }
  return decideChatConfirm(createTime, { ticket, user, owners: await tx.ownersOf(appId, openid) }, rules, now)
}

async function undo(
  tx: Tx,
  { appId, lang }: EventSettings,
  { openid, createTime }: Extract<Deed, { type: 'undo' }>,
  now: number,
) {
  return decideUndo({ appId, openid, createTime }, await followerFacts(tx, appId, openid), lang, now)
}
