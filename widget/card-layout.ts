/** Renders the card's HTML. All states have the same box, and the panel of the current state fills it. */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { mark } from './icons.ts'
import type { State } from './machine.ts'
import { panelOf, type View } from './state-panels.ts'

export function cardTemplate(state: State, view: View, classes: string): TemplateResult {
  const { translate, language, opened } = view
  const { picture, status, hint, timer, actions } = panelOf(state, view)
  const hasQr = state.name === 'ready' && !opened
  // `keyed` creates new elements when the text changes. A new text inside an existing element moves the first letter, and browsers report that as a layout shift.
  const textKey = `${state.name} ${opened} ${status} ${hint}`
  const actionsKey = `${state.name} ${!opened}`
  return html`<section class=${classes} part="card" lang=${language} aria-labelledby="title" tabindex="-1">
    <header>
      <slot name="logo">${mark}</slot>
      <div id="title" part="title"><slot name="title">${translate('title')}</slot></div>
    </header>
    <slot name="description"></slot>
    <div class=${hasQr ? 'tile paper' : 'tile'} part="tile">${picture}</div>
    <div class="words">
      <div role="status">
        ${keyed(textKey, html`<p part="status">${status}</p>${hint && html`<p class="hint" part="hint">${hint}</p>`}`)}
      </div>
      ${timer && html`<p class="hint" part="timer" role="timer">${keyed(timer, timer)}</p>`}
    </div>
    <div class="actions">${keyed(actionsKey, html`${actions}`)}</div>
    <slot name="footer"></slot>
  </section>`
}
