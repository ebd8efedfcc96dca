/** The rules of a ticket: how long pages show it, and how long it can be scanned. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Ticket } from '../store/store.ts'

/**
 * The prefix of this server's scenes. With the prefix, the server recognizes the scenes of another system on the same account
 * without a look-up.
 */
export const SCENE_PREFIX = 'wb1_'

// A new follower may take a while to tap "follow", so the scan is accepted for this time after the ticket has expired. WeChat's
// follow page keeps the scene for about 5 minutes.
export const FOLLOW_GRACE_MS = 300_000

/** 128 random bits, in characters that WeChat accepts in a scene. */
export const createScene = () => SCENE_PREFIX + randomBytes(16).toString('base64url')

// Leaves out 0 O 1 I L, because people read the code from a screen and type it on a phone. A code has 40 bits (31^8), and
// 5 guesses an hour are allowed.
const CODE_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

export const createCode = () => Array.from({ length: 8 }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')

// The page receives the time left in whole seconds. Less than one second would become 0, which means expired.
const LEAST_LEFT_MS = 1000

/** Whether at least one second is left. */
export const isShowable = ({ expiresAt }: Ticket, now: number) => expiresAt - now >= LEAST_LEFT_MS

/**
 * A ticket is reused while more than a sixth of its lifetime is left. A later ticket could expire while the user picks up the
 * phone.
 */
export const isReusable = (ticket: Ticket, now: number) =>
  isShowable(ticket, now) && (ticket.expiresAt - now) * 6 > ticket.expiresAt - ticket.createdAt

/** The last moment (epoch ms) at which the event still counts. */
export const deadlineOf = ({ expiresAt }: Ticket, via: 'SCAN' | 'subscribe' | 'text') =>
  via === 'subscribe' ? expiresAt + FOLLOW_GRACE_MS : expiresAt
