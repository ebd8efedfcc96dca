/** The language of an element: its own `lang`, the nearest ancestor's, otherwise the browser's. */

/** Also looks at the hosts of the surrounding shadow roots, as the platform's own inheritance does. */
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
