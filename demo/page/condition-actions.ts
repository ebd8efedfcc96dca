/** What the conditions' panel does: tells the demo, keeps the URL, and has the element look again where that shows them. */
import { type ConditionName, differences } from '../conditions.ts'
import type { DemoView } from '../demo-api.ts'
import { putConditions } from './demo-client.ts'
import type { Store } from './page-state.ts'
import { withConditions } from './settings.ts'

export type ConditionActions = ReturnType<typeof createConditionActions>

type Element = HTMLElement & { state: string; refresh(): void }

// These show on the next code that WeChat is asked for.
const SHOWN_BY_A_NEW_CODE: ConditionName[] = ['ticket', 'errcode', 'wechat', 'clock']

export function createConditionActions({ read, write }: Store) {
  function heedDemo(demo: DemoView): void {
    write({ demo })
    history.replaceState(null, '', withConditions(location.search, demo.conditions, demo.usual))
  }

  async function put(given: Record<string, string>): Promise<void> {
    const before = read().demo.conditions
    const demo = await putConditions(given)
    if (!demo) return
    heedDemo(demo)
    const changed = differences(before, demo.conditions)
    if (changed.some((name) => SHOWN_BY_A_NEW_CODE.includes(name))) renew()
  }

  return {
    /** The demo's conditions were changed, by this page or by another. */
    heedDemo,
    setCondition: (name: ConditionName, value: string) => put({ ...read().demo.conditions, [name]: value }),
    resetConditions: () => put({}),
    /** A link that named such conditions shows them as soon as the element has a code that it can replace. */
    renewWhenReady(named: Partial<Record<ConditionName, string>>): void {
      if (!SHOWN_BY_A_NEW_CODE.some((name) => name in named)) return
      const end = new AbortController()
      const look = () => {
        const state = findElement()?.state
        if (state === 'ready') renew()
        if (state === 'ready' || state === 'error' || state === 'expired' || state === 'bound') end.abort()
      }
      document.addEventListener('statechange', look, { signal: end.signal })
    },
  }
}

const findElement = () => document.querySelector<Element>('wechat-bind')

/** Asks for a new code, unless a WeChat is bound: there is nothing to scan then. */
function renew(): void {
  const element = findElement()
  if (element && element.state !== 'bound') element.refresh()
}
