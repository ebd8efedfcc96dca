/** What the card shows in each state: one function per state, plain values in, a panel out. */
import { html, type TemplateResult } from 'lit'
import { type BindError, isTokenError } from './bind-error.ts'
import type { Device } from './device.ts'
import { checkMark, icon } from './icons.ts'
import type { State, StateName } from './machine.ts'
import type { Language, Messages, Say } from './messages.ts'
import { qrImage, qrPng, qrSvg } from './qr.ts'

/** The places of the card. All panels fill the same box, so that nothing jumps when the state changes. */
export type Panel = { art: unknown; line: unknown; hint?: unknown; timer?: string | undefined; actions?: unknown }

/** What a panel is drawn with, besides the state. */
export type View = {
  say: Say
  language: Language
  device: Device
  secondsLeft: number
  /** The user is asked before anything is. */
  manual: boolean
  /** What the user has opened on top of the state: the text path, or the question before unbinding. */
  opened: 'text' | 'copied' | 'question' | undefined
  host: Actions
}

/** What the controls do. Lit calls a listener on the element itself, so that methods can stand in the templates. */
export type Actions = {
  start(): void
  refresh(): void
  unbind(): void
  confirm(code: string): void
  open(what?: View['opened']): void
  noPicture(): void
  copy(text: string): void
}

/** What the server listens for in the chat, whatever the language of the page. */
const BIND_WORD = '绑定'

type Panels = { [Name in StateName]: (view: View, state: Extract<State, { name: Name }>) => Panel }

/** The panel of `state`. */
export function panelOf(state: State, view: View): Panel {
  return (panels[state.name] as (view: View, state: State) => Panel)(view, state)
}

const loading = ({ say }: View): Panel => ({ art: html`<span class="spinner"></span>`, line: say('loading') })

const panels: Panels = {
  idle: (view, { halted }) => {
    if (!halted && !view.manual) return loading(view)
    return { art: icon('code'), line: view.say('idle'), actions: button(view, 'show', 'primary', view.host.start) }
  },

  loading,

  ready: (view, { ticket }) => {
    const { say, host, opened, device } = view
    const timer = timeLeft(view)
    if (opened) {
      const text = `${BIND_WORD} ${ticket.code}`
      const copy = button(view, 'copy', 'primary', () => host.copy(text))
      const art = html`<code part="code">${text}</code>${copy}`
      // Told where a screen reader listens: the name of a button that changes is heard by few.
      const line = say(opened === 'copied' ? 'copied' : 'send')
      return { art, line, timer, actions: button(view, 'showQr', 'quiet', () => host.open()) }
    }
    const toText = button(view, 'cannotScan', 'quiet', () => host.open('text'))
    if (device === 'desktop') return { art: qrSvg(ticket.qr, say('qr')), line: say('scan'), timer, actions: toText }
    const art = qrImage(ticket.qr, say('qr'), host.noPicture)
    if (device === 'wechat') return { art, line: say('press'), timer, actions: toText }
    const picture = html`<a part="action" download="wechat.png" href=${qrPng(ticket.qr)}>${say('savePicture')}</a>`
    return { art, line: say('save'), timer, actions: [picture, toText] }
  },

  scanned: (view, { confirm, code = '', failure }) => {
    const { say, host } = view
    const art = icon('phone')
    const actions = button(view, 'renew', 'quiet', host.refresh)
    if (confirm === 'reply') return { art, line: say('scanned'), hint: say('confirmReply'), actions }
    const field = html`<input
      part="field"
      inputmode="numeric"
      autocomplete="one-time-code"
      placeholder="····"
      aria-label=${say('confirmCode')}
      aria-invalid=${!!failure}
      ?readonly=${code !== ''}
      .value=${code}
      @input=${(event: InputEvent) => typeCode(event.target as HTMLInputElement, host)}
    />`
    return { art: [art, field], line: say('confirmCode'), hint: failure && explain(failure, say), actions }
  },

  bound: (view, { boundAt, initial, unbinding, failure }) => {
    const { say, host, opened, language } = view
    const art = checkMark(!initial)
    if (opened || unbinding) {
      const cancel = button(view, 'cancel', 'quiet', () => host.open(), unbinding)
      return {
        art,
        line: say('unbindAsk'),
        hint: failure && explain(failure, say),
        actions: [cancel, button(view, 'unbind', 'danger', host.unbind, unbinding)],
      }
    }
    const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(boundAt * 1000)
    return {
      art,
      line: html`<slot name="success">${say('bound')}</slot>`,
      hint: failure ? explain(failure, say) : say('boundAt', time),
      actions: button(view, 'unbind', 'quiet', () => host.open('question')),
    }
  },

  expired: (view) => ({
    art: icon('clock'),
    line: html`<slot name="expired">${view.say('expired')}</slot>`,
    actions: button(view, 'renew', 'primary', view.host.start),
  }),

  offline: ({ say }) => ({ art: icon('offline'), line: say('offline'), hint: say('offlineHint') }),

  error: (view, { error }) => ({
    art: icon('alert'),
    line: html`<slot name="error">${view.say('error')}</slot>`,
    hint: explain(error, view.say),
    actions: button(view, 'retry', 'primary', view.host.start),
  }),
}

function button({ say }: View, label: keyof Messages, look: string, onClick: () => void, busy = false): TemplateResult {
  return html`<button class=${look} part="action" type="button" aria-disabled=${busy} @click=${onClick}>${say(label)}</button>`
}

/** Full-width digits and what a paste brings along are forgiven; four digits go off by themselves. */
function typeCode(field: HTMLInputElement, host: Actions): void {
  const digits = field.value.normalize('NFKC').replace(/\D/g, '').slice(0, 4)
  if (field.value !== digits) field.value = digits
  if (digits.length === 4) host.confirm(digits)
}

/** For the eye only, outside the live region: a screen reader that told each second would tell nothing else. */
function timeLeft({ say, secondsLeft }: View): string | undefined {
  // No page counts down seconds from an hour.
  if (secondsLeft > 3600) return undefined
  const time = `${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}`
  return say('expiresIn', time)
}

/** What the user can do about it; what exactly went wrong is told to the page, by `binderror`. */
function explain(error: BindError, say: Say): string {
  if (error.triesLeft !== undefined) return say('triesLeft', error.triesLeft)
  if (isTokenError(error)) return say('errorToken')
  if (error.code === 'RATE_LIMITED') return say('errorBusy')
  return say(error.code === 'NETWORK' || error.code === 'TIMEOUT' ? 'errorNetwork' : 'errorServer')
}
