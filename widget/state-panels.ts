/** The card's content for each state. There is one function for each state. */
import { html } from 'lit'
import { checkMark, icon } from './icons.ts'
import { button, errorText, nameOf, type Panel, problem, qrCode, type View } from './panel.ts'
import { readyPanel } from './ready-panel.ts'
import type { State, StateName } from './state.ts'

type Panels = { [Name in StateName]: (view: View, state: Extract<State, { name: Name }>) => Panel }

/** Returns the panel of `state`. */
export function panelOf(state: State, view: View): Panel {
  return (panels[state.name] as (view: View, state: State) => Panel)(view, state)
}

const loading = ({ translate }: View, state: State): Panel => {
  const [proof, failures] = state.name === 'loading' ? [state.proof, state.attempt.failures] : []
  return {
    picture: html`<span class="spinner"></span>`,
    status: translate(proof ? 'binding' : 'loading'),
    hint: failures ? translate('retrying') : undefined,
  }
}

const panels: Panels = {
  idle: (view, state) => {
    if (!state.halted && !view.host.manual) return loading(view, state)
    return {
      picture: icon('code'),
      status: view.translate('idle'),
      actions: button(view, 'show', 'primary', view.host.start),
    }
  },

  loading,

  ready: readyPanel,

  scanned: (view, { confirm, code = '', failure }) => {
    const { translate, host } = view
    const picture = icon('phone')
    const actions = button(view, 'renew', 'quiet', host.refresh)
    if (confirm === 'reply') {
      return { picture, status: translate('scanned'), hint: translate('confirmReply'), actions }
    }
    const field = html`<input
      part="field"
      inputmode="numeric"
      autocomplete="one-time-code"
      placeholder="····"
      aria-label=${translate('confirmCode')}
      aria-invalid=${!!failure}
      aria-describedby="hint"
      ?readonly=${code !== ''}
      .value=${code}
      @input=${(event: InputEvent) => onCodeInput(event.target as HTMLInputElement, host)}
    />`
    return {
      picture: [picture, field],
      status: translate('confirmCode'),
      ...problem(view, failure),
      actions,
    }
  },

  bound: (view, { boundAt, initial, unbinding, subscribed, follow, failure }) => {
    const { translate, host, opened, language } = view
    const panel = { title: 'bound', tile: 'bare', picture: checkMark(!initial), ...problem(view, failure) } as const
    if (opened || unbinding) {
      const cancel = button(view, 'cancel', 'quiet', () => host.show(), unbinding)
      const actions = [cancel, button(view, 'unbind', 'danger', host.unbind, unbinding)]
      return { ...panel, status: translate('unbindAsk'), actions }
    }
    const actions = button(view, 'unbind', 'quiet', () => host.show('question'))
    if (subscribed === false) {
      const code = follow && qrCode(view, follow.qr)
      const status = translate('follow', nameOf(view, follow?.account))
      return { ...panel, ...code, hint: panel.hint ?? code?.status, status, actions }
    }
    const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(boundAt * 1000)
    return { ...panel, status: html`<slot name="success">${translate('boundAt', time)}</slot>`, actions }
  },

  expired: (view) => ({
    picture: icon('clock'),
    status: html`<slot name="expired">${view.translate('expired')}</slot>`,
    actions: button(view, 'renew', 'primary', view.host.start),
  }),

  offline: ({ translate }) => ({
    picture: icon('offline'),
    status: translate('offline'),
    hint: translate('offlineHint'),
  }),

  error: (view, { error }) => ({
    picture: icon('alert'),
    status: html`<slot name="error">${view.translate('error')}</slot>`,
    hint: errorText(error, view.translate),
    actions: button(view, 'retry', 'primary', view.host.start),
  }),
}

/** Accepts full-width digits and ignores other pasted characters. Submits after the fourth digit. */
function onCodeInput(field: HTMLInputElement, host: View['host']): void {
  const digits = field.value.normalize('NFKC').replace(/\D/g, '').slice(0, 4)
  if (field.value !== digits) field.value = digits
  if (digits.length === 4) host.confirm(digits)
}
