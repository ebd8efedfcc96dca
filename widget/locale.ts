/** Which language an element is read in: its own `lang`, the nearest one around it, else the browser's. */

/** Looks outwards through shadow roots, as the platform's own language does. */
export function localeOf(element: Element): string {
  const lang = element.closest('[lang]')?.getAttribute('lang')
  const root = element.getRootNode()
  return lang || (root instanceof ShadowRoot ? localeOf(root.host) : navigator.language)
}

/** Calls back when a `lang` anywhere in the document changes, until `signal` aborts. */
export function watchLocale(onChange: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(onChange)
  observer.observe(document.documentElement, { attributeFilter: ['lang'], subtree: true })
  signal.addEventListener('abort', () => observer.disconnect())
}
