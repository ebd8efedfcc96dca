/** The top bar: the three steps, and the choice of user, language and theme. */
import { html, type TemplateResult } from 'lit'
import { testUsers, type User, users } from '../../users.ts'
import type { Actions } from '../app.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { type Language, languages, settingValues, type Theme } from '../settings.ts'
import { visitorPath } from '../visitor.ts'
import { languageNames } from '../words/common.ts'
import { choiceView } from './choice-buttons.ts'
import { icons } from './icons.ts'

export function topBarView(state: PageState, { set }: Actions, t: Messages): TemplateResult {
  const { lang, theme, user } = state.settings
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
        <a href="${visitorPath}/console/">${t.console}</a>
      </h1>
      ${stepsView(state, t)}
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

/** The steps of a first visit. A completed step is marked. */
function stepsView({ settings, simulator, screens, backEnd }: PageState, t: Messages): TemplateResult {
  const phone = simulator?.phones.find(({ person }) => person === settings.person)
  const isBound = backEnd.state === 'known' && backEnd.isBound
  const steps: [string, boolean][] = [
    [t.stepScan, isBound || phone?.isFollowing === true || screens[settings.person].name === 'follow'],
    [t.stepFollow, isBound || phone?.isFollowing === true],
    [t.stepBound, isBound],
  ]
  return html`<ol class="steps" aria-label=${t.steps}>
    ${steps.map(([text, isDone]) => html`<li ?data-done=${isDone}>${text}</li>`)}
  </ol>`
}

const selected = (target: EventTarget | null) => (target as HTMLSelectElement).value
