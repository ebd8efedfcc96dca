/** The layout of the playground: the element with its actions, code and event log, and the controls beside it. */
import { html, type TemplateResult } from 'lit'
import { type Listing, valuesOf } from '../manifest.ts'
import type { PlaygroundMessages } from '../playground-messages.ts'
import type { PlaygroundActions, PlaygroundState, ShownEvent } from '../playground-state.ts'
import { toCss, toHtml, toScript } from '../playground-tag.ts'
import { type Language, languages, settingValues, type Theme } from '../settings.ts'
import { languageNames } from '../words/common.ts'
import { choiceView } from './choice-buttons.ts'
import { icons } from './icons.ts'
import { controlView, styleView, textView } from './playground-controls.ts'

type T = PlaygroundMessages

/** The texts that pages replace most often. */
const WORDS = ['title', 'scan', 'bound', 'expired', 'unbind']
const GET_TOKEN = { name: 'getToken', type: { text: 'boolean' } }
const METHODS = ['start', 'stop', 'refresh', 'unbind', 'open', 'close'] as const

export function playgroundView(
  state: PlaygroundState,
  listing: Listing,
  card: Element,
  actions: PlaygroundActions,
  t: T,
): TemplateResult {
  return html`
    ${barView(state, actions, t)}
    <main class="playground">
      <div class="scene">
        <section class="stage" dir=${state.dir}>${card}</section>
        ${operationsView(state, actions, t)} ${codeView(state, actions, t)} ${logView(state.events, actions, t)}
      </div>
      ${controlsView(state, listing, actions, t)}
    </main>
  `
}

function barView({ settings: { lang, theme } }: PlaygroundState, { set }: PlaygroundActions, t: T): TemplateResult {
  const toLanguage = (value: Language) => ({ value, content: languageNames[value], testId: `lang-${value}` })
  const toTheme = (value: Theme) => ({ value, content: icons[value], label: t[value], testId: `theme-${value}` })
  return html`
    <header class="top-bar">
      <h1 class="brand">wechat-bind <span>${t.title}</span> <a href="./${location.search}">QA</a></h1>
      ${choiceView(t.language, languages.map(toLanguage), lang, (value) => set({ lang: value as Language }))}
      ${choiceView(t.theme, settingValues.theme.map(toTheme), theme, (value) => set({ theme: value as Theme }))}
    </header>
  `
}

function operationsView({ dir }: PlaygroundState, actions: PlaygroundActions, t: T): TemplateResult {
  const direction = (['ltr', 'rtl'] as const).map((value) => ({ value, content: value, testId: `dir-${value}` }))
  const confirm = (event: SubmitEvent) => {
    event.preventDefault()
    actions.confirm(String(new FormData(event.target as HTMLFormElement).get('code')))
  }
  return html`
    <section class="operations">
      <div role="group" aria-label=${t.phone}>
        <button type="button" class="filled" data-testid="scan" @click=${actions.scan}>${icons.scan} ${t.scan}</button>
        <button type="button" class="quiet" data-testid="unfollow" @click=${actions.unfollow}>${t.unfollow}</button>
      </div>
      <div role="group" aria-label=${t.methods}>
        ${METHODS.map(
          (name) =>
            html`<button type="button" class="quiet" @click=${() => actions.call(name)}><code>${name}()</code></button>`,
        )}
        <form @submit=${confirm}>
          <input name="code" inputmode="numeric" maxlength="4" placeholder="4821" aria-label=${t.fourDigits} />
          <button class="quiet"><code>confirm()</code></button>
        </form>
      </div>
      ${choiceView(t.direction, direction, dir, (value) => actions.setDirection(value as 'ltr' | 'rtl'))}
      <button type="button" class="quiet" data-testid="reset" @click=${actions.reset}>${t.reset}</button>
    </section>
  `
}

function logView(events: ShownEvent[], { clear }: PlaygroundActions, t: T): TemplateResult {
  const row = ({ at, name, detail }: ShownEvent) =>
    html`<li><time>${at}</time> <strong>${name}</strong> <code>${detail}</code></li>`
  return html`
    <section class="panel log">
      <header>
        <h2>${t.events}</h2>
        <button type="button" class="quiet" ?disabled=${events.length === 0} @click=${clear}>${t.clear}</button>
      </header>
      ${events.length > 0 ? html`<ol data-testid="events">${events.map(row)}</ol>` : html`<p>${t.noEvents}</p>`}
    </section>
  `
}

function codeView({ tag, isCopied }: PlaygroundState, { copy }: PlaygroundActions, t: T): TemplateResult {
  const code = [toHtml(tag), toCss(tag), toScript(tag)].filter(Boolean)
  return html`
    <section class="panel code">
      <header>
        <h2>${t.code}</h2>
        <button type="button" class="quiet" data-testid="copy" @click=${() => copy(code.join('\n\n'))}>
          ${isCopied ? t.copied : t.copy}
        </button>
      </header>
      ${code.map((text) => html`<pre tabindex="0"><code>${text}</code></pre>`)}
    </section>
  `
}

function controlsView(
  { tag }: PlaygroundState,
  listing: Listing,
  { setEntry }: PlaygroundActions,
  t: T,
): TemplateResult {
  const { attributes, slots, cssProperties, cssParts } = listing
  const part = (name: string) => html`
    <button
      type="button"
      class="chip"
      aria-pressed=${name in tag.parts}
      @click=${() => setEntry('parts', name, name in tag.parts ? undefined : '')}
    >
      ${name}
    </button>
  `
  // Attributes with a fixed set of values are displayed first.
  const ordered = [...attributes].sort((a, b) => valuesOf(b).length - valuesOf(a).length)
  return html`
    <div class="setters">
      <section class="panel">
        <h2>${t.attributes}</h2>
        ${ordered.map((each) => controlView(each, tag.attributes[each.name], (value) => setEntry('attributes', each.name, value)))}
        ${controlView(GET_TOKEN, tag.properties.getToken, (value) => setEntry('properties', 'getToken', value))}
      </section>
      <section class="panel">
        <h2>${t.slots}</h2>
        ${slots.map(({ name }) => textView(name, tag.slots[name], '', (value) => setEntry('slots', name, value || undefined), `slot-${name}`))}
      </section>
      <section class="panel">
        <h2>${t.styles}</h2>
        ${cssProperties.map((each) => styleView(each, tag.styles[each.name], (value) => setEntry('styles', each.name, value || undefined)))}
      </section>
      <section class="panel">
        <h2>${t.parts}</h2>
        <p>${t.partsLead}</p>
        <div class="chips">${cssParts.map(({ name }) => part(name))}</div>
      </section>
      <section class="panel">
        <h2>${t.words}</h2>
        <p>${t.wordsLead}</p>
        ${WORDS.map((name) => textView(name, tag.words[name], '', (value) => setEntry('words', name, value || undefined), `word-${name}`))}
      </section>
    </div>
  `
}
