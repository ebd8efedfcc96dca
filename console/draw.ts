/** Draws the state into the document. */
import { render } from 'lit'
import type { ConsoleDeps } from './app.ts'
import { pageOf, toHash } from './route.ts'
import { pageView, toScope } from './views/page.ts'

/** `root`: the element with the page. Language, theme and title belong to the document. */
export function createDraw(root: HTMLElement): ConsoleDeps['draw'] {
  let shown: string | undefined
  return (state, actions) => {
    const scope = toScope(state, actions)
    const { documentElement } = document
    documentElement.lang = state.preferences.lang
    documentElement.dataset.theme = state.preferences.theme
    const name = state.session.state === 'signedIn' ? scope.t[pageOf(state.route)] : scope.t.signIn
    document.title = `${name} · ${scope.t.title}`
    render(pageView(scope), root)
    // If only the period or the tenant changes, the page is not a new page.
    const page = toHash(state.route).split('?')[0]
    if (shown !== undefined && page !== shown) {
      // On a new page, screen readers continue at its content, and the page is scrolled to the top.
      document.getElementById('content')?.focus()
      scrollTo(0, 0)
    }
    shown = page
  }
}
