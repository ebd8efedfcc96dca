/** Exposes the name of the element's state to the page's CSS as a custom state, for example `:state(bound)`. */
import type { StateName } from './state.ts'

/** Returns the function that replaces the custom state of `element`. */
export function createCustomState(element: HTMLElement): (name: StateName) => void {
  // A server has no internals.
  const internals = element.attachInternals?.()
  return (name) => {
    try {
      internals?.states.clear()
      internals?.states.add(name)
    } catch {
      // Browsers before 2024 do not support custom states, or only names with dashes.
    }
  }
}
