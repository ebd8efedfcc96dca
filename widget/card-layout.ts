/** Renders the card's HTML. All states have the same box, and the panel of the current state fills it. */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { icon, mark } from './icons.ts'
import type { State } from './machine.ts'
import { panelOf, type View } from './state-panels.ts'

/** `onClose`: the card is in a dialog, and this listener closes it. */
export function cardTemplate(state: State, view: View, classes: string, onClose?: () => void): TemplateResult {
  const { translate, language, opened, host } = view
  const { title = 'title', picture, status, hint, isProblem, timer, actions } = panelOf(state, view)
  const tile = state.name === 'bound' ? 'bare' : state.name === 'ready' && !opened ? 'paper' : ''
  // `keyed` creates new elements when the text changes. A new text inside an existing element moves the first letter, and browsers report that as a layout shift.
  const textKey = `${state.name} ${opened} ${status} ${hint}`
  const actionsKey = `${state.name} ${!opened}`
  const hintClass = isProblem ? 'hint problem' : 'hint'

  function onKeydown(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !opened) return
    // By default, the Escape key also closes the dialog.
    event.preventDefault()
    host.show()
  }

  return html`<section
    class=${classes}
    part="card"
    lang=${language}
    aria-labelledby="title"
    tabindex="-1"
    ?autofocus=${!!onClose}
    @keydown=${onKeydown}
  >
    <header>
      ${keyed(title, html`<slot name="logo">${mark}</slot><h2 id="title" part="title"><slot name="title">${translate(title)}</slot></h2>`)}
    </header>
    ${onClose && html`<button class="close" part="close" type="button" aria-label=${translate('close')} @click=${onClose}>${icon('close')}</button>`}
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

/** `display="button"`: a button in the page, and the dialog that it opens. The dialog contains the card. */
export function dialogTemplate(
  card: TemplateResult,
  { translate }: View,
  theme: string,
  isBound: boolean,
  { open, close, onClose }: Record<'open' | 'close' | 'onClose', () => void>,
): TemplateResult {
  const onClick = (event: Event) => event.target === event.currentTarget && close()
  return html`<button
      class=${`open ${theme} ${isBound ? '' : 'primary'}`}
      part="button"
      type="button"
      aria-haspopup="dialog"
      @click=${open}
    >
      ${mark}${translate(isBound ? 'bound' : 'title')}
    </button>
    <dialog aria-labelledby="title" @click=${onClick} @close=${onClose}>${card}</dialog>`
}
