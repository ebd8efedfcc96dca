/** A scan that waits for its confirmation: the page's digits confirm it, or it expires. */
import { equalInConstantTime } from '../crypto.ts'
import { BindError } from '../errors.ts'
import type { Plan } from '../store/plan.ts'
import type { Change, Identity, Ticket, Tx, User } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'
import { decideConfirm, decideConfirmationExpired, decideWrongDigits, type Rules } from './rules.ts'

/**
 * The page gives the four digits that the chat shows, which proves that one person scanned and uses the page.
 * Throws `NOT_SCANNED`, `WRONG_CODE` with `triesLeft` (the try is counted before it is answered), `CONFLICT`.
 */
export async function confirmCode(
  { store, events, clock, afterCommit }: ChangeDeps & { events: { rules: Rules } },
  identity: Identity,
  digits: string,
): Promise<User> {
  const now = clock()
  // The refusal is thrown after the commit: thrown inside the transaction, it would undo what was decided.
  const { user, changes, refusal } = await store.write(function* (tx): Plan<Decided & { user: User }> {
    const user = yield* tx.userOf(identity)
    const ticket = yield* tx.scannedOf(user.id)
    const decided = yield* decide(tx, user, ticket, digits, events.rules, now)
    for (const change of decided.changes) yield* tx.apply(change)
    return { ...decided, user: decided.refusal ? user : yield* tx.userById(user.id) }
  })
  afterCommit(changes)
  if (refusal) throw refusal
  return user
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

/** Closes a scan whose time to confirm is over, which notifies the page. Returns the user after that. */
export async function expireConfirmation({ store, clock, afterCommit }: ChangeDeps, user: User): Promise<User> {
  const now = clock()
  if (!user.confirmation || now < user.confirmation.until) return user
  const expired = await store.write(function* (tx) {
    const ticket = yield* tx.scannedOf(user.id)
    const changes = ticket ? decideConfirmationExpired(ticket, now) : []
    for (const change of changes) yield* tx.apply(change)
    return { user: yield* tx.userById(user.id), changes }
  })
  afterCommit(expired.changes)
  return expired.user
}
