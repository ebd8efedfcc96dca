/** The rules of a ticket: how long it is shown again, and how long it can be scanned. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Ticket } from '../store/store.ts'

/** The prefix of our scenes. Scenes of another system on the same account are recognised without a look-up. */
export const SCENE_PREFIX = 'wb1_'

// A new follower may take a while to tap "follow"; WeChat itself drops the scene after about 5 minutes on that page.
const FOLLOW_GRACE_MS = 300_000

/** 128 random bits, in characters that WeChat accepts in a scene. */
export const createScene = () => SCENE_PREFIX + randomBytes(16).toString('base64url')

// Without 0 O 1 I L: people read the code from a screen and type it on a phone. 31^8 is 40 bits; 5 guesses an hour are allowed.
const CODE_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

export const createCode = () => Array.from({ length: 8 }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')

// The page receives whole seconds: with less than one left it would receive an expired QR.
const LEAST_LEFT_MS = 1000

/** Whether at least one second is left. */
export const isShowable = ({ expiresAt }: Ticket, now: number) => expiresAt - now >= LEAST_LEFT_MS

/** Reused while more than a sixth of its life is left: later it would expire while the user looks for the phone. */
export const isReusable = (ticket: Ticket, now: number) =>
  isShowable(ticket, now) && (ticket.expiresAt - now) * 6 > ticket.expiresAt - ticket.createdAt

/** The last moment (epoch ms) at which the event still counts. */
export const deadlineOf = ({ expiresAt }: Ticket, via: 'SCAN' | 'subscribe' | 'text') =>
  via === 'subscribe' ? expiresAt + FOLLOW_GRACE_MS : expiresAt
