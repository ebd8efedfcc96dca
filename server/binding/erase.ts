/** Erases a user at the request of a back end (`EraseUser`) or of an operator. */
import type { Change, Identity } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'

/**
 * First removes the binding, which notifies the page and the webhook as usual. Then deletes the user's data. `Store.purgeErased`
 * deletes the last notices and the identity a few seconds later. The call can be repeated, even for an unknown user. Returns whether
 * the store knew the user.
 */
export async function eraseUser(
  { store, clock, afterCommit }: ChangeDeps,
  identity: Identity,
  /**
   * The operator in the console. The log of actions keeps the operator's name. It keeps the hash `subject` instead of the user's
   * ids.
   */
  by?: { operator: string; subject: string },
): Promise<boolean> {
  const at = clock()
  const changes = await store.write(function* (tx) {
    const user = yield* tx.userOf(identity)
    if (user.id === 0) return []
    const ending: Change = user.binding
      ? { type: 'unbind', user: user.id, reason: 'erased', at }
      : { type: 'closeTickets', user: user.id, bumpsVersion: true }
    const changes: Change[] = [ending, { type: 'erase', user: user.id, at }]
    if (by) changes.push({ type: 'recordAction', ...by, action: 'erase', at })
    for (const change of changes) yield* tx.apply(change)
    return changes
  })
  afterCommit(changes)
  return changes.length > 0
}
