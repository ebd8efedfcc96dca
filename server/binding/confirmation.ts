/** Confirms a scan by the digits that the page sends, and closes a scan whose time to confirm is over. */
import { equalInConstantTime } from '../crypto.ts'
import { BindError } from '../errors.ts'
import type { Plan } from '../store/plan.ts'
import type { Change, Identity, Tx, User } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'
import {
  decideConfirm,
  decideConfirmationExpired,
  decideWrongDigits,
  scansAwaitingDigits,
} from './confirmation-rules.ts'
import type { Rules, ScannedTicket } from './decision.ts'
import { countWrongDigits, refusalOfDigits } from './limits.ts'
import { type ScanOutcome, toScanOutcome, unconfirmedScan } from './scan-outcome.ts'

/**
 * The page sends the four digits that the chat shows. This proves that the person at the page is the person who scanned.
 * Throws `NOT_SCANNED`, `RATE_LIMITED`, `CONFLICT`, or `WRONG_CODE` with `triesLeft`. A try is counted before the answer is sent.
 */
export async function confirmCode(
  { store, events, clock, afterCommit }: ChangeDeps & { events: { rules: Rules } },
  identity: Identity,
  digits: string,
): Promise<User> {
  const now = clock()
  // The refusal is thrown after the commit, because an error inside the transaction would roll back its changes.
  const { user, changes, refusal, scan } = await store.write(function* (tx): Plan<Decided & { user: User }> {
    const user = yield* tx.userOf(identity)
    const scanned = scansAwaitingDigits(yield* tx.scannedOf(user.id), now)
    const decided = yield* decide(tx, user, scanned, digits, events.rules, now)
    for (const change of decided.changes) yield* tx.apply(change)
    return { ...decided, user: decided.refusal ? user : yield* tx.userById(user.id) }
  })
  afterCommit(changes, undefined, scan)
  if (refusal) throw refusal
  return user
}

type Decided = { changes: Change[]; refusal?: BindError; scan?: ScanOutcome }

function* decide(
  tx: Tx,
  user: User,
  scanned: ScannedTicket[],
  digits: string,
  rules: Rules,
  now: number,
): Plan<Decided> {
  if (scanned.length === 0) return { changes: [], refusal: notScanned() }
  const limited = yield* refusalOfDigits(tx, user.id, now)
  if (limited) return { changes: [], refusal: limited }
  const ticket = scanned.find(({ state }) => equalInConstantTime(state.confirmation.digits ?? '', digits))
  if (!ticket) {
    yield* countWrongDigits(tx, user.id, now)
    // The digits do not say which scan is meant, so each scan loses a try.
    const changes = scanned.flatMap((each) => decideWrongDigits(each, each.state.confirmation))
    return { changes, refusal: wrongCode(Math.max(...scanned.map(({ state }) => state.confirmation.triesLeft)) - 1) }
  }
  const owners = yield* tx.ownersOf(ticket.appId, ticket.state.confirmation.openid)
  const decision = decideConfirm({ ticket, user, owners }, rules, now)
  const scan = toScanOutcome(decision, user.identity, ticket.state.name)
  const { changes } = decision
  return decision.reply?.name === 'conflict' ? { changes, scan, refusal: taken() } : { changes, scan }
}

const notScanned = () => new BindError('NOT_SCANNED', 'There is no scan to confirm: scan the QR code first.')

const wrongCode = (triesLeft: number) =>
  new BindError('WRONG_CODE', `These are not the digits in WeChat; tries left: ${triesLeft}.`, { triesLeft })

const taken = () =>
  new BindError('CONFLICT', 'This WeChat is bound to another account: unbind it there, or scan with another WeChat.')

/** Closes the scans whose time to confirm is over, and notifies the page. Returns the updated user. */
export async function expireConfirmation({ store, clock, afterCommit }: ChangeDeps, user: User): Promise<User> {
  const now = clock()
  if (!user.confirmation || now < user.confirmation.until) return user
  const expired = await store.write(function* (tx) {
    const scanned = yield* tx.scannedOf(user.id)
    const changes = scanned.flatMap((ticket) => decideConfirmationExpired(ticket, now))
    for (const change of changes) yield* tx.apply(change)
    return { user: yield* tx.userById(user.id), changes }
  })
  afterCommit(expired.changes, undefined, expired.changes.length > 0 ? unconfirmedScan(user.identity) : undefined)
  return expired.user
}
