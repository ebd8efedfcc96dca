/** The conditions of the moment. Changes are made one after the other, and those that change nothing cost nothing. */
import { type Conditions, differences } from './conditions.ts'

/** Makes the demo so. */
type Become = (next: Conditions, before: Conditions) => Promise<void>

export function createSituation(atStart: Conditions, become: Become) {
  let current = atStart
  let settling: Promise<void> = Promise.resolve()

  async function change(next: Conditions): Promise<void> {
    const before = current
    current = next
    if (differences(next, before).length > 0) await become(next, before)
  }

  return {
    current: () => current,
    set(next: Conditions): Promise<void> {
      settling = settling.catch(() => {}).then(() => change(next))
      return settling
    },
    /** Resolves when the last change is made, however it went. */
    settled: () => settling.catch(() => {}),
  }
}
