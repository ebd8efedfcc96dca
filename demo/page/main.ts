/** Draws the page. */
import { render } from 'lit'
import { createApp } from './app.ts'
import { messages } from './messages.ts'
import { pageView } from './views/page.ts'

createApp((state, actions) => {
  const { lang, theme } = state.settings
  document.documentElement.lang = lang
  document.documentElement.dataset.theme = theme
  document.title = messages[lang].title
  render(pageView(state, actions, messages[lang]), document.body)
})
