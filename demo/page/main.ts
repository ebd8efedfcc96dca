/** Draws the page. The element comes from the built file, as on any site, once the browser is as the settings say. */
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
