/** Renders the card's HTML. All states have the same box, and the panel of the current state fills it. */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { icon, mark } from './icons.ts'
import type { View } from './panel.ts'
import type { State } from './state.ts'
import { panelOf } from './state-panels.ts'

export function cardTemplate(state: State, view: View): TemplateResult {
  const { translate, language, device, opened, host } = view
  const isInDialog = host.display === 'button'
  const { title = 'title', tile = '', picture, status, hint, isProblem, timer, actions } = panelOf(state, view)
  // `keyed` creates new elements when the text changes. A new text inside an existing element moves the first letter, and browsers report that as a layout shift.
  const textKey = `${state.name} ${opened} ${status} ${hint}`
  const actionsKey = `${state.name} ${opened}`
  const hintClass = isProblem ? 'hint problem' : 'hint'

  function onKeydown(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !opened) return
    // By default, the Escape key also closes the dialog.
    event.preventDefault()
    host.show()
  }

  return html`<section
    class=${`card ${host.size} ${host.theme} ${device}`}
    part="card"
    lang=${language}
    aria-labelledby="title"
    tabindex="-1"
    ?autofocus=${isInDialog}
    @keydown=${onKeydown}
  >
    <header>
      ${keyed(title, html`<slot name="logo">${mark}</slot><h2 id="title" part="title"><slot name="title">${translate(title)}</slot></h2>`)}
    </header>
    ${isInDialog ? html`<button class="close" part="close" type="button" aria-label=${translate('close')} @click=${host.close}>${icon('close')}</button>` : ''}
    <slot name="description"></slot>
    <div class=${`tile ${tile}`} part="tile">${picture}</div>
    <div class="words">
      <div role="status">
        ${keyed(textKey, html`<p part="status">${status}</p>${hint && html`<p class=${hintClass} id="hint" part="hint">${hint}</p>`}`)}
      </div>
      ${timer && keyed(textKey, html`<p class="hint" part="timer" role="timer">${keyed(timer, timer)}</p>`)}
    </div>
    <div class="actions">${keyed(actionsKey, html`${actions}`)}</div>
    <slot name="footer"></slot>
  </section>`
}
