/**
 * Lets a test wait for a state without polling. Fakes and observed elements report each of their changes to this
 * module.
 */
import type { WechatBind } from '../../../widget/wechat-bind.ts'

const checks = new Set<() => void>()
const observed = new WeakSet<WechatBind>()

/** Reports a change. A fake calls this function after each of its changes. */
export function changed(): void {
  for (const check of checks) check()
}

/** Begins to report the changes of the element's state and content. */
export function observe(element: WechatBind): void {
  if (observed.has(element)) return
  observed.add(element)
  element.addEventListener('statechange', changed)
  const everything = { subtree: true, childList: true, characterData: true, attributes: true }
  new MutationObserver(changed).observe(element.renderRoot, everything)
}

/** Resolves when `isSo` returns true. Calls `isSo` at once and after each reported change. */
export function until(isSo: () => boolean): Promise<void> {
  if (isSo()) return Promise.resolve()
  return new Promise((resolve) => {
    const check = () => {
      if (!isSo()) return
      checks.delete(check)
      resolve()
    }
    checks.add(check)
  })
}
