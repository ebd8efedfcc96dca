/** Applies changed settings to a running element: another server, another source of tokens, another token. */
import type { BindController, BindHost } from './bind-controller.ts'

type Host = BindHost & { start(): void; stop(): void }

/** `changed` contains the previous values by name, as Lit passes them to `willUpdate`. */
export function applyChanges(host: Host, controller: BindController, changed: Map<PropertyKey, unknown>): void {
  const isMoved = changed.get('server') !== undefined || changed.get('tokenUrl') !== undefined
  // A QR code of the previous server is not valid at the new server.
  if (isMoved && controller.state.name !== 'idle') {
    host.stop()
    if (!host.manual) host.start()
  }
  // The new token may belong to another user, who must not see the data of the previous user.
  if (changed.get('token')) controller.wake(true)
  // Frameworks pass a new function at every rendering, including the rendering after an error. Therefore only the first
  // function counts as a change of the token source.
  const isFirst = changed.has('getToken') && !changed.get('getToken')
  if (isFirst || changed.has('token') || changed.has('tokenUrl')) controller.dispatch({ type: 'token' })
}
