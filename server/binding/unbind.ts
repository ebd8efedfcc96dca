/** Ends a binding at the request of a back end (`Disconnect`), of the page's button, or of an operator. */
import type { Change, Identity, User } from '../store/store.ts'
import type { ChangeDeps } from './after-commit.ts'

type Unbound = { user: User; wasBound: boolean }

/**
 * Can be repeated. Closes every ticket of the user even without a binding, so that QR codes made before bind nobody afterwards.
 * Closing a ticket increments the version, so that a page that shows its QR code requests a new QR code.
 */
export async function unbind(
  { store, clock, afterCommit }: ChangeDeps,
  identity: Identity,
  reason: 'disconnect' | 'widget' | 'operator',
  /** The name of the operator in the console, which the history shows. */
  operator?: string,
): Promise<Unbound> {
  const now = clock()
  const { changes, ...unbound } = await store.write(function* (tx) {
    const user = yield* tx.userOf(identity)
    if (user.id === 0) return { user, changes: [], wasBound: false }
    const wasBound = user.binding !== null
    const change: Change = wasBound
      ? { type: 'unbind', user: user.id, reason, at: now }
      : { type: 'closeTickets', user: user.id, bumpsVersion: true }
    yield* tx.apply(change)
    if (operator !== undefined) {
      yield* tx.apply({ type: 'recordAction', user: user.id, operator, action: 'unbind', at: now })
    }
    return { user: yield* tx.userById(user.id), changes: [change], wasBound }
  })
  afterCommit(changes)
  return unbound
}
