/** Determines an element's language: its own `lang`, the `lang` of the nearest ancestor, otherwise the browser's language. */

/** Also searches the hosts of the surrounding shadow roots, because the browser inherits `lang` through them. */
export function localeOf(element: Element): string {
  const lang = element.closest('[lang]')?.getAttribute('lang')
  const root = element.getRootNode()
  return lang || (root instanceof ShadowRoot ? localeOf(root.host) : navigator.language)
}

/** Calls `onChange` when any `lang` attribute of the document changes, until `signal` aborts. */
export function watchLocale(onChange: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(onChange)
  observer.observe(document.documentElement, { attributeFilter: ['lang'], subtree: true })
  signal.addEventListener('abort', () => observer.disconnect())
}
