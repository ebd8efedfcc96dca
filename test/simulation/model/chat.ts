/**
 * The model of the messages from WeChat: how each message changes users and tickets, and what the reply in the chat is.
 */

import { endHold, setSubscribed, setTicket, unbindUser } from './changes.ts'
import { claim, claimByCode, type Handled, holdsBy, nothing, notOurs, plain, say } from './claim.ts'
import { confirmHold } from './confirm.ts'
import { closeProven } from './one-tap.ts'
import { type HeldTicket, ownersOf, type Reply, type State, type Ticket, userOf } from './state.ts'

export type Message = { key: string; openid: string; time: number } & (
  | { kind: 'scan' | 'subscribe'; scene: string }
  /** A follow without a scene of this server. `isLost` means that the message has no scene at all. */
  | { kind: 'follow'; isLost: boolean }
  | { kind: 'unfollow'; erases: boolean }
  | { kind: 'code'; code: string }
  | { kind: 'undo' }
  /** Any other text. */
  | { kind: 'hello' }
  /** `question` is the ticket in the link that the user has tapped. */
  | { kind: 'confirm'; question: number | undefined }
)

const SECOND = 1000
const REPLY_KEPT = 600 * SECOND
const UNFOLLOW_KEPT = 600 * SECOND

export type Delivered = { reply: Reply; isOurs: boolean }

/** WeChat delivers a message. This may be the first delivery or a repetition. */
export function* deliver(m: State, message: Message): Generator<void, Delivered> {
  yield
  if (!isAboutBinding(m, message)) return { reply: null, isOurs: false }
  const ticket = claimed(m, message)
  const seen = m.deliveries.get(message.key)
  if (seen) return { reply: seen.reply, isOurs: seen.isOurs }
  const isRepeated = ticket?.usedBy === message.key
  const { reply, isOurs = true, user, uses } = isRepeated ? say(ticket, 'bound') : handle(m, message, ticket)
  if (uses) setTicket(m, uses, { usedBy: message.key })
  else {
    m.deliveries.set(message.key, {
      reply,
      isOurs,
      until: m.now + REPLY_KEPT,
      user: reply?.label == null ? null : (user ?? null),
    })
  }
  return { reply, isOurs }
}

/** Whether the message is about binding. The server decides this without the store. */
function isAboutBinding({ settings }: State, message: Message): boolean {
  if (message.kind === 'hello') return false
  if (message.kind === 'confirm') return settings.confirm === 'reply'
  const mayBeUnfollowed = settings.unsubscribe === 'mark' || settings.hasOauth
  return message.kind !== 'follow' || message.isLost || mayBeUnfollowed
}

/** Messages that the server also forwards, because other systems have lists of followers. */
export const isFollowing = ({ kind }: Message) => kind === 'subscribe' || kind === 'follow' || kind === 'unfollow'

function claimed(m: State, message: Message): Ticket | undefined {
  if (message.kind === 'scan' || message.kind === 'subscribe') return m.tickets.get(message.scene)
  if (message.kind === 'code') return [...m.tickets.values()].find(({ code }) => code === message.code)
  return undefined
}

function handle(m: State, message: Message, ticket: Ticket | undefined): Handled {
  switch (message.kind) {
    case 'subscribe':
      // The result of the scan depends on the state before the follow.
      return claim(m, message, ticket, () => followed(m, message))
    case 'scan':
      return claim(m, message, ticket)
    case 'code':
      return claimByCode(m, message, ticket)
    case 'follow':
      followed(m, message)
      return message.isLost && isAnyPending(m) ? plain('scan_again') : notOurs
    case 'unfollow':
      return unfollowed(m, message)
    case 'undo':
      return undo(m, message)
    case 'hello':
      return notOurs
    case 'confirm':
      return confirm(m, message)
  }
}

/** Only the newest unfollow of an openid counts. The server keeps it for at least ten minutes. */
function rememberUnfollow(m: State, { openid, time }: Message): void {
  const kept = m.unfollows.get(openid)
  if (kept && kept.time >= time) return
  m.unfollows.set(openid, { time, until: m.now + UNFOLLOW_KEPT })
}

function followed(m: State, { openid, time }: Message): void {
  for (const { key, bound } of ownersOf(m, openid)) if (bound && time >= bound.time) setSubscribed(m, key, true, time)
}

const isAnyPending = (m: State) =>
  [...m.tickets.values()].some(({ state, expiresAt }) => state === 'pending' && expiresAt > m.now - 600 * SECOND)

function unfollowed(m: State, message: Extract<Message, { kind: 'unfollow' }>): Handled {
  const { openid, time, erases } = message
  const affected = ownersOf(m, openid).filter(
    ({ bound }) => bound && (time >= bound.time || (erases && !bound.subscribed)),
  )
  for (const held of holdsBy(m, openid)) if (time >= held.hold.time) endHold(m, held)
  closeProven(m, openid)
  for (const { key } of affected) {
    if (m.settings.unsubscribe === 'mark' && !erases) setSubscribed(m, key, false, time)
    else unbindUser(m, key, 'unsubscribe')
  }
  rememberUnfollow(m, message)
  return nothing
}

function undo(m: State, message: Message): Handled {
  const { openid, time } = message
  const live = holdsBy(m, openid).filter(({ hold }) => time >= hold.time && m.now < hold.until)
  const [latest] = live
  closeProven(m, openid)
  if (latest) {
    for (const held of live) endHold(m, held)
    rememberUnfollow(m, message)
    return say(latest, 'cancelled')
  }
  const owner = ownersOf(m, openid).find(({ bound }) => bound && time >= bound.time)
  if (!owner?.bound) return { ...plain('not_bound'), isOurs: false }
  unbindUser(m, owner.key, 'chat')
  rememberUnfollow(m, message)
  return { reply: { name: 'unbound', label: owner.bound.label }, user: owner.key }
}

/** The user confirms: types the word "confirm", or taps the link. */
function confirm(m: State, message: Extract<Message, { kind: 'confirm' }>): Handled {
  const { openid, time, question } = message
  const held = askedOf(m, openid, question)
  if (!held) return question === undefined ? notOurs : lateTap(m, openid, question)
  if (time < held.hold.time) return nothing
  if (m.now >= held.hold.until) return say(held, 'expired')
  return confirmHold(m, held) ? say(held, 'bound') : say(held, 'conflict')
}

function askedOf(m: State, openid: string, question: number | undefined): HeldTicket | undefined {
  const asked = holdsBy(m, openid).filter(({ hold }) => hold.kind === 'reply')
  if (question !== undefined) return asked.find(({ id }) => id === question)
  const open = asked.filter(({ hold }) => m.now < hold.until)
  return open.length > 1 ? undefined : (open[0] ?? asked[0])
}

function lateTap(m: State, openid: string, question: number): Handled {
  const ticket = [...m.tickets.values()].find(({ id }) => id === question)
  const isConfirmed = ticket?.state === 'used' && userOf(m, ticket.user).bound?.openid === openid
  return ticket && isConfirmed ? say(ticket, 'already_bound') : plain('expired')
}
