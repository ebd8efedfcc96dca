/** The actions of the conditions panel. They send the conditions to the demo, update the URL, and request a new QR code if the change affects QR codes. */
import { type ConditionName, differences } from '../conditions.ts'
import type { DemoView } from '../demo-api.ts'
import { putConditions } from './demo-client.ts'
import type { Store } from './page-state.ts'
import { withConditions } from './settings.ts'

export type ConditionActions = ReturnType<typeof createConditionActions>

type Element = HTMLElement & { state: string; refresh(): void }

// Conditions that have no effect on the displayed QR code, only on the next one.
const NEED_NEW_QR: ConditionName[] = ['ticket', 'errcode', 'wechat', 'clock']

export function createConditionActions({ read, write }: Store) {
  function showDemo(demo: DemoView): void {
    write({ demo })
    history.replaceState(null, '', withConditions(location.search, demo.conditions, demo.usual) + location.hash)
  }

  async function put(given: Record<string, string>): Promise<void> {
    const before = read().demo.conditions
    const answer = await putConditions(given)
    if (!answer) return
    const demo = answer.view
    showDemo(demo)
    const changed = differences(before, demo.conditions)
    if (changed.some((name) => NEED_NEW_QR.includes(name))) requestNewQr()
  }

  return {
    /** Displays the conditions after a change by this page or another page. */
    showDemo,
    setCondition: (name: ConditionName, value: string) => put({ ...read().demo.conditions, [name]: value }),
    resetConditions: () => put({}),
    /**
     * If a link sets a condition that applies only to a new QR code, this function requests a new QR code as soon as
     * the element is ready.
     */
    requestNewQrWhenReady(named: Partial<Record<ConditionName, string>>): void {
      if (!NEED_NEW_QR.some((name) => name in named)) return
      const end = new AbortController()
      const check = () => {
        const state = findElement()?.state
        if (state === 'ready') requestNewQr()
        if (state === 'ready' || state === 'error' || state === 'expired' || state === 'bound') end.abort()
      }
      document.addEventListener('statechange', check, { signal: end.signal })
    },
  }
}

const findElement = () => document.querySelector<Element>('wechat-bind')

/** Requests a new QR code, unless the element is bound. */
function requestNewQr(): void {
  const element = findElement()
  if (element && element.state !== 'bound') element.refresh()
}
