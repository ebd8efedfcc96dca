/** Holds the current conditions and applies changes one after the other. If the new values equal the current ones, nothing is applied. */
import { type Conditions, differences } from './conditions.ts'

/** Applies the conditions to the demo. */
type ApplyConditions = (next: Conditions, before: Conditions) => Promise<void>

export type CurrentConditions = ReturnType<typeof createCurrentConditions>

export function createCurrentConditions(atStart: Conditions, apply: ApplyConditions) {
  let current = atStart
  let lastChange: Promise<void> = Promise.resolve()

  async function change(next: Conditions): Promise<void> {
    const before = current
    current = next
    if (differences(next, before).length > 0) await apply(next, before)
  }

  return {
    current: () => current,
    set(next: Conditions): Promise<void> {
      lastChange = lastChange.catch(() => {}).then(() => change(next))
      return lastChange
    },
    /** Resolves when the last change has been applied or has failed. */
    settled: () => lastChange.catch(() => {}),
  }
}
