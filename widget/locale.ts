/**
 * Determines an element's language: its own `lang`, otherwise the `lang` of the nearest ancestor, otherwise the
 * browser's language.
 */
import type { ReactiveControllerHost } from 'lit'

/** Also searches the hosts of the surrounding shadow roots, because the browser inherits `lang` through them. */
export function localeOf(element: Element): string {
  const lang = element.closest('[lang]')?.getAttribute('lang')
  const root = element.getRootNode()
  return lang || (root instanceof ShadowRoot ? localeOf(root.host) : navigator.language)
}

/** Renders `host` again when any `lang` attribute of the document changes. */
export function watchLocale(host: ReactiveControllerHost): void {
  let observer: MutationObserver | undefined
  host.addController({
    hostConnected() {
      observer = new MutationObserver(() => host.requestUpdate())
      observer.observe(document.documentElement, { attributeFilter: ['lang'], subtree: true })
    },
    hostDisconnected: () => observer?.disconnect(),
  })
}
