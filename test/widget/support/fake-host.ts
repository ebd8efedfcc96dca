/** A host for the controller that does not render. It has the element's settings and a callback for transitions. */
import type { ReactiveController } from 'lit'
import type { BindHost } from '../../../widget/bind-controller.ts'
import type { StateName } from '../../../widget/state.ts'
import { changed } from './changes.ts'

export type FakeHost = HTMLElement & BindHost & { names: StateName[]; refreshMode: string; watch: boolean }

/** Adds the host to the page, so that the host is in view. `remove()` removes the host. */
export function createFakeHost(): FakeHost {
  const names: StateName[] = []
  const host = Object.assign(document.createElement('div'), {
    names,
    manual: false,
    isClosed: false,
    watch: false,
    refreshMode: 'auto' as const,
    canStart: true,
    addController: (_controller: ReactiveController) => {},
    removeController: () => {},
    requestUpdate: () => {},
    updateComplete: Promise.resolve(true),
    stateChanged: (state: { name: StateName }, previous: { name: StateName }) => {
      if (state.name !== previous.name) names.push(state.name)
      changed()
    },
  })
  host.textContent = 'QR'
  document.body.append(host)
  return host
}
