/** Closes the scans whose time to confirm is over, even if no page asks about them, because such a scan stores an openid and digits. */
import type { Plan } from '../store/plan.ts'
import type { Change } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'
import { decideConfirmationExpired } from './confirmation-rules.ts'

// During this time after the deadline a late confirmation in the chat is answered with "expired".
const KEPT_MS = 30_000

// The largest number of users that one unit of work locks.
const BATCH = 100

/** Called each minute, so an openid is kept for at most 90 s after the time to confirm it. */
export async function expireScans({ store, clock, afterCommit }: ChangeDeps): Promise<void> {
  let closed: number
  do {
    const now = clock()
    const changes = await store.write(function* (tx): Plan<Change[]> {
      const tickets = yield* tx.unconfirmedUntil(now - KEPT_MS, BATCH)
      const changes = tickets.flatMap((ticket) => decideConfirmationExpired(ticket, now))
      for (const change of changes) yield* tx.apply(change)
      return changes
    })
    afterCommit(changes)
    closed = changes.length
  } while (closed === BATCH)
}
