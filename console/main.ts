/** The entry of the console: draws the page whenever its state changes. */
import { render } from 'lit'
import { startConsole } from './app.ts'
import { pageOf, toHash } from './route.ts'
import { pageView, toScope } from './views/page.ts'

let shown = ''

startConsole({
  fetch: (...request) => fetch(...request),
  storage: localStorage,
  languages: navigator.languages,
  clock: Date.now,
  save,
  draw(state, actions) {
    const scope = toScope(state, actions)
    const root = document.documentElement
    root.lang = state.preferences.lang
    root.dataset.theme = state.preferences.theme
    document.title = `${scope.t[pageOf(state.route)]} · ${scope.t.title}`
    render(pageView(scope), document.body)
    const route = toHash(state.route)
    // A screen reader continues at the content of the new page, and the page begins at its top.
    if (shown !== '' && route !== shown && state.route.name !== 'overview') {
      document.getElementById('content')?.focus()
      scrollTo(0, 0)
    }
    shown = route
  },
})

/** Saves a file as the browser's downloads are saved. */
function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  // The browser has begun the download by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
