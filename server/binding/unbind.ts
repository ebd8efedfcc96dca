/** Ends a binding from the product's side: its back end's `Disconnect`, or the page's own button. */
import type { Change, Identity, User } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'

type Unbound = { user: User; wasBound: boolean }

/** May be repeated. Cancels a scan that waits for its confirmation as well: nothing remains after "disconnect". */
export async function unbind(
  { store, clock, afterCommit }: ChangeDeps,
  identity: Identity,
  reason: 'disconnect' | 'widget',
): Promise<Unbound> {
  const now = clock()
  const { changes, ...unbound } = await store.write(function* (tx) {
    const user = yield* tx.userOf(identity)
    const scanned = user.confirmation ? yield* tx.scannedOf(user.id) : undefined
    const changes: Change[] = []
    if (scanned)
      changes.push({
        type: 'close',
        ticket: scanned.id,
        user: user.id,
        as: 'used',
        bumpsVersion: user.binding === null,
      })
    if (user.binding) changes.push({ type: 'unbind', user: user.id, reason, at: now })
    for (const change of changes) yield* tx.apply(change)
    const after = changes.length > 0 ? yield* tx.userById(user.id) : user
    return { user: after, changes, wasBound: user.binding !== null }
  })
  afterCommit(changes)
  return unbound
}
