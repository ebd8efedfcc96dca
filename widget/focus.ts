/** Keeps the keyboard focus in the card when rendering removes the focused control. Never takes the focus from the page. */
import type { LitElement } from 'lit'
import type { StateName } from './state.ts'

export function keepFocus(host: LitElement & { readonly state: StateName }): void {
  /** The element that had the focus before rendering. */
  let focused: Element | null | undefined
  let renderedState: StateName | undefined

  host.addController({
    hostUpdate() {
      focused = host.shadowRoot?.activeElement
    },

    hostUpdated() {
      const isSameState = renderedState === host.state
      renderedState = host.state
      if (!focused || focused.isConnected) return
      const card = host.renderRoot.querySelector<HTMLElement>('section')
      // When the state has changed, the user may still be typing. A button must not get the focus then, because the
      // next key could press it.
      const controls = isSameState ? 'input, .tile button, .actions button' : 'input'
      const next = card?.querySelector<HTMLElement>(controls) ?? card
      next?.focus({ preventScroll: true })
    },
  })
}
