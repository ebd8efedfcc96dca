/** The rules of a ticket: when it is shown again, and when it can still be scanned. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Ticket } from '../store/store.ts'

/** Ours begin so: another system's scenes on the same account are known without a look-up. */
export const SCENE_PREFIX = 'wb1_'

// A newcomer may take a while to tap "follow"; WeChat itself loses the scene after about 5 minutes on that page.
const FOLLOW_GRACE_MS = 300_000

/** 128 random bits in WeChat's safe alphabet. */
export const createScene = () => SCENE_PREFIX + randomBytes(16).toString('base64url')

// No 0 O, 1 I L: read from a screen and typed on a phone. 31^8 is 40 bits, and five guesses an hour are allowed.
const CODE_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

export const createCode = () => Array.from({ length: 8 }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')

// The page is told whole seconds: with less than one it would be given a QR that has ended.
const LEAST_LEFT_MS = 1000

/** Whether it can be shown at all. */
export const isShowable = ({ expiresAt }: Ticket, now: number) => expiresAt - now >= LEAST_LEFT_MS

/** Near its end a ticket would run out while the user looks for the phone: it is reused while more than a sixth is left. */
export const isReusable = (ticket: Ticket, now: number) =>
  isShowable(ticket, now) && (ticket.expiresAt - now) * 6 > ticket.expiresAt - ticket.createdAt

/** The last moment (epoch ms) at which the event still counts. */
export const deadlineOf = ({ expiresAt }: Ticket, via: 'SCAN' | 'subscribe' | 'text') =>
  via === 'subscribe' ? expiresAt + FOLLOW_GRACE_MS : expiresAt
