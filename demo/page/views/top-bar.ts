/** The top bar: choice of user, language and theme. */
import { html, type TemplateResult } from 'lit'
import { testUsers, type User, users } from '../../users.ts'
import type { Actions } from '../app.ts'
import type { Messages } from '../messages.ts'
import { type Language, languages, type Settings, settingValues, type Theme } from '../settings.ts'
import { languageNames } from '../words/common.ts'
import { choiceView } from './choice-buttons.ts'
import { icons } from './icons.ts'

export function topBarView({ lang, theme, user }: Settings, { set }: Actions, t: Messages): TemplateResult {
  const languageChoices = languages.map((value) => ({ value, content: languageNames[value], testId: `lang-${value}` }))
  const themeChoices = settingValues.theme.map((value) => ({
    value,
    content: icons[value],
    label: t[value],
    testId: `theme-${value}`,
  }))
  const optionView = ({ id, name }: User) => html`<option value=${id} ?selected=${id === user}>${name}</option>`
  return html`
    <header class="top-bar">
      <h1 class="brand">
        wechat-bind <span>${t.qa}</span>
        <a href="api.html${location.search}">API</a>
        <a href="playground${location.search}">${t.playground}</a>
      </h1>
      <label class="select">
        <span>${t.signedInAs}</span>
        <select data-testid="user" .value=${user} @change=${({ target }: Event) => set({ user: selected(target) })}>
          ${users.map(optionView)}
          <optgroup label=${t.testUsers}>${testUsers.map(optionView)}</optgroup>
        </select>
      </label>
      ${choiceView(t.language, languageChoices, lang, (value) => set({ lang: value as Language }))}
      ${choiceView(t.theme, themeChoices, theme, (value) => set({ theme: value as Theme }))}
    </header>
  `
}

const selected = (target: EventTarget | null) => (target as HTMLSelectElement).value
