/** A scan that waits for its confirmation: confirmed by the page's digits, or let go when its time is over. */

import { equalInConstantTime } from '../crypto.ts'
import { BindError } from '../errors.ts'
import type { Plan } from '../store/plan.ts'
import type { Change, Identity, Store, Ticket, Tx, User } from '../store/store.ts'
import { decideConfirm, decideConfirmationExpired, decideWrongDigits, type Rules } from './rules.ts'

export type Confirmed = { user: User; changes: Change[] }

/**
 * The page gives the four digits that the chat shows: proof that who scanned and who sits before the page are one.
 * Throws `NOT_SCANNED`, `WRONG_CODE` with `triesLeft` (the try is counted before it is answered), `CONFLICT`.
 */
export async function confirmCode(
  store: Store,
  identity: Identity,
  digits: string,
  rules: Rules,
  now: number,
): Promise<Confirmed> {
  // A refusal is returned and thrown out here: thrown inside, it would undo what it decided.
  const result = await store.write(function* (tx): Plan<Confirmed | BindError> {
    const user = yield* tx.userOf(identity)
    const ticket = yield* tx.scannedOf(user.id)
    const decided = yield* decide(tx, user, ticket, digits, rules, now)
    for (const change of decided.changes) yield* tx.apply(change)
    return decided.refusal ?? { user: yield* tx.userById(user.id), changes: decided.changes }
  })
  if (result instanceof BindError) throw result
  return result
}

type Decided = { changes: Change[]; refusal?: BindError }

function* decide(
  tx: Tx,
  user: User,
  ticket: Ticket | undefined,
  digits: string,
  rules: Rules,
  now: number,
): Plan<Decided> {
  if (
    ticket?.state.name !== 'scanned' ||
    ticket.state.confirmation.confirm !== 'code' ||
    now >= ticket.state.confirmation.until
  ) {
    return {
      changes: [],
      refusal: new BindError('NOT_SCANNED', 'There is no scan to confirm: scan the QR code first.'),
    }
  }
  const { confirmation } = ticket.state
  if (!equalInConstantTime(confirmation.digits ?? '', digits)) {
    return { changes: decideWrongDigits(ticket, confirmation), refusal: wrongCode(confirmation.triesLeft - 1) }
  }
  const owners = yield* tx.ownersOf(ticket.appId, confirmation.openid)
  const { changes, reply } = decideConfirm({ ticket, user, owners }, rules, now)
  return reply?.name === 'conflict' ? { changes, refusal: taken() } : { changes }
}

const wrongCode = (triesLeft: number) =>
  new BindError('WRONG_CODE', `These are not the digits in WeChat; tries left: ${triesLeft}.`, { triesLeft })

const taken = () =>
  new BindError('CONFLICT', 'This WeChat is bound to another account: unbind it there, or scan with another WeChat.')

/** Lets go of a hold whose time is over, so that the page hears of it; the user as it is then. */
export async function expireConfirmation(store: Store, user: User, now: number): Promise<User> {
  if (!user.confirmation || now < user.confirmation.until) return user
  return store.write(function* (tx) {
    const ticket = yield* tx.scannedOf(user.id)
    for (const change of ticket ? decideConfirmationExpired(ticket, now) : []) yield* tx.apply(change)
    return yield* tx.userById(user.id)
  })
}
