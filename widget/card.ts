/** The card: one box for all states, with the state's panel in its places. */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { mark } from './icons.ts'
import type { State } from './machine.ts'
import { panelOf, type View } from './panels.ts'

export function cardOf(state: State, view: View, look: string): TemplateResult {
  const { say, language, opened } = view
  const { art, line, hint, timer, actions } = panelOf(state, view)
  const paper = state.name === 'ready' && !opened
  // A changed text gets new elements: in old ones it would move within its line, which browsers count as a shift of the layout.
  const words = `${state.name} ${opened} ${line} ${hint}`
  const controls = `${state.name} ${!opened}`
  return html`<section class=${look} part="card" lang=${language} aria-labelledby="title" tabindex="-1">
    <header>
      <slot name="logo">${mark}</slot>
      <div id="title" part="title"><slot name="title">${say('title')}</slot></div>
    </header>
    <slot name="description"></slot>
    <div class=${paper ? 'tile paper' : 'tile'} part="tile">${art}</div>
    <div class="words">
      <div role="status">
        ${keyed(words, html`<p part="status">${line}</p>${hint && html`<p class="hint" part="hint">${hint}</p>`}`)}
      </div>
      ${timer && html`<p class="hint" part="timer" role="timer">${keyed(timer, timer)}</p>`}
    </div>
    <div class="actions">${keyed(controls, html`${actions}`)}</div>
    <slot name="footer"></slot>
  </section>`
}
