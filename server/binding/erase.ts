/** Erases a user at the request of a back end (`EraseUser`) or of an operator. */
import type { Change, Identity } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'

/**
 * First the binding ends like any other, so that the page and the webhook are told. Then everything that is kept of the user is
 * deleted; `Store.purgeErased` deletes the last notices and the identity a few seconds later. Can be repeated, also for a user that
 * was never seen.
 */
export async function eraseUser({ store, clock, afterCommit }: ChangeDeps, identity: Identity): Promise<void> {
  const at = clock()
  const changes = await store.write(function* (tx) {
    const user = yield* tx.userOf(identity)
    if (user.id === 0) return []
    const ending: Change = user.binding
      ? { type: 'unbind', user: user.id, reason: 'erased', at }
      : { type: 'closeTickets', user: user.id, bumpsVersion: true }
    const changes: Change[] = [ending, { type: 'erase', user: user.id, at }]
    for (const change of changes) yield* tx.apply(change)
    return changes
  })
  afterCommit(changes)
}
