/**
 * Closes the scans whose time to confirm is over. This happens even if no page asks about the scans, because an unconfirmed scan
 * stores an openid and digits.
 */
import { createBatchSize } from '../store/batch-size.ts'
import type { Plan } from '../store/plan.ts'
import type { Change, Identity } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'
import { decideConfirmationExpired } from './confirmation-rules.ts'
import { unconfirmedScan } from './scan-outcome.ts'

// During this time after the deadline a late confirmation in the chat is answered with "expired".
const KEPT_MS = 30_000

type Expired = { change: Change; identity: Identity }

/** Runs each minute. So the openid of an unconfirmed scan is deleted at most 90 s after the deadline. */
export async function expireScans({ store, clock, afterCommit }: ChangeDeps): Promise<void> {
  const batch = createBatchSize()
  let isMore: boolean
  do {
    const now = clock()
    const limit = batch.present()
    const expired = await store.write(
      function* (tx): Plan<Expired[]> {
        const expired: Expired[] = []
        for (const ticket of yield* tx.unconfirmedUntil(now - KEPT_MS, limit)) {
          for (const change of decideConfirmationExpired(ticket, now)) {
            yield* tx.apply(change)
            expired.push({ change, identity: (yield* tx.userById(ticket.user)).identity })
          }
        }
        return expired
      },
      { onTook: batch.note },
    )
    for (const { change, identity } of expired) afterCommit([change], undefined, unconfirmedScan(identity))
    isMore = expired.length === limit
  } while (isMore)
}
