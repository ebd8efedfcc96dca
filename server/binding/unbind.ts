/** Ends a binding from the product's side: its back end's `Disconnect`, or the page's own button. */
import type { Change, Identity, Store, User } from '../store/store.ts'

export type Unbound = { user: User; changes: Change[]; wasBound: boolean }

/** Harmless when repeated. A scan that waits for its confirmation is called off too: "disconnect" means nothing remains. */
export function unbind(
  store: Store,
  identity: Identity,
  reason: 'disconnect' | 'widget',
  now: number,
): Promise<Unbound> {
  return store.write(function* (tx) {
    const user = yield* tx.userOf(identity)
    const held = user.confirmation ? yield* tx.scannedOf(user.id) : undefined
    const changes: Change[] = []
    if (held)
      changes.push({ type: 'close', ticket: held.id, user: user.id, as: 'used', bumpsVersion: user.binding === null })
    if (user.binding) changes.push({ type: 'unbind', user: user.id, reason, at: now })
    for (const change of changes) yield* tx.apply(change)
    const after = changes.length > 0 ? yield* tx.userById(user.id) : user
    return { user: after, changes, wasBound: user.binding !== null }
  })
}
