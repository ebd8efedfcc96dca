/** Warns of settings that have no effect, for example an attribute that a framework has set as a property. */
import { warnOnce } from './warn-once.ts'

/** Settings without an attribute, or with an attribute of another name. HTML writes the names of attributes in lower case. */
const NO_ATTRIBUTE = /^(get-?token|tokenurl|messages|refresh-?mode)$/

type Settings = { refresh?: unknown; refreshMode: string }

export function warnOfSettings(element: Element & Settings): void {
  repairRefresh(element)
  const name = element.getAttributeNames().find((name) => NO_ATTRIBUTE.test(name))
  const { refreshMode } = element
  if (refreshMode && !/^(auto|manual)$/.test(refreshMode)) {
    warnOnce(`refresh="${refreshMode}" is unknown: use auto or manual`)
  }
  if (name) warnOnce(`The attribute ${name} has no effect: set the property, or use the attribute token-url or refresh`)
}

/**
 * Restores the method `refresh`. A framework that sets the property instead of the attribute overwrites this method.
 */
function repairRefresh(element: Settings): void {
  const { refresh } = element
  if (typeof refresh === 'function') return
  delete element.refresh
  element.refreshMode = refresh === 'manual' ? 'manual' : 'auto'
  warnOnce('refresh is a method: set the property refreshMode, or the attribute refresh')
}
