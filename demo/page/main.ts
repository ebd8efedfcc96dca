/**
 * The entry of the QA page. It renders the page and then loads the built element, as any site does. The element is
 * loaded last, because the simulated browser must be set up first.
 */
import { render } from 'lit'
import { createApp } from './app.ts'
import { messages } from './messages.ts'
import { pageView } from './views/page.ts'

await createApp((state, actions) => {
  const { lang, theme } = state.settings
  document.documentElement.lang = lang
  document.documentElement.dataset.theme = theme
  document.title = messages[lang].title
  render(pageView(state, actions, messages[lang]), document.body)
})

const element = document.createElement('script')
element.type = 'module'
element.src = 'cdn/wechat-bind.js'
document.head.append(element)
