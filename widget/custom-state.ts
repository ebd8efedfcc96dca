/** Exposes the name of the element's state to the page's CSS as a custom state, for example `:state(bound)`. */
import type { StateName } from './state.ts'

/** Returns the function that replaces the custom state of `element`. */
export function createCustomState(element: HTMLElement): (name: StateName) => void {
  // On a server, the element has no `attachInternals`.
  const internals = element.attachInternals?.()
  return (name) => {
    try {
      internals?.states.clear()
      internals?.states.add(name)
    } catch {
      // Browsers before 2024 support no custom states, or only states whose names begin with two dashes.
    }
  }
}
