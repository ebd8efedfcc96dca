/** Which language an element is read in: its own `lang`, the nearest one around it, else the browser's. */

/** Looks outwards through shadow roots, as the platform's own language does. */
export function localeOf(element: Element): string {
  for (let at: Element | undefined = element; at; at = shadowHost(at)) {
    const lang = at.closest('[lang]')?.getAttribute('lang')
    if (lang) return lang
  }
  return navigator.language
}

function shadowHost(element: Element): Element | undefined {
  const root = element.getRootNode()
  return root instanceof ShadowRoot ? root.host : undefined
}

/** Calls back when a `lang` anywhere in the document changes, until `signal` aborts. */
export function watchLocale(onChange: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(onChange)
  observer.observe(document.documentElement, { attributeFilter: ['lang'], subtree: true })
  signal.addEventListener('abort', () => observer.disconnect())
}
