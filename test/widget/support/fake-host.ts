/** The element as the controller sees it: wishes in, transitions out, nothing drawn. */
import type { ReactiveController } from 'lit'
import type { BindHost } from '../../../widget/bind-controller.ts'
import type { StateName } from '../../../widget/machine.ts'

export type FakeHost = HTMLElement & BindHost & { names: StateName[]; refreshMode: string; watch: boolean }

/** On the page at once, so that it is on screen; take it away with `remove()`. */
export function createFakeHost(): FakeHost {
  const names: StateName[] = []
  const host = Object.assign(document.createElement('div'), {
    names,
    manual: false,
    watch: false,
    refreshMode: 'auto' as const,
    canStart: true,
    addController: (_controller: ReactiveController) => {},
    removeController: () => {},
    requestUpdate: () => {},
    updateComplete: Promise.resolve(true),
    stateChanged: (state: { name: StateName }, previous: { name: StateName }) => {
      if (state.name !== previous.name) names.push(state.name)
    },
  })
  host.textContent = 'QR'
  document.body.append(host)
  return host
}
