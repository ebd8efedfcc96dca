/** What the card shows in each state: one function per state, plain values in, a panel out. */
import { html, type TemplateResult } from 'lit'
import { type BindError, isTokenError } from './bind-error.ts'
import type { Context } from './context.ts'
import { checkMark, icon } from './icons.ts'
import type { Bound, Failed, Ready, Scanned } from './machine.ts'
import type { Language, Say } from './messages.ts'
import { qrImage, qrPng, qrSvg } from './qr.ts'

/** The places of the card. All panels fill the same box, so that nothing jumps when the state changes. */
export type Panel = { art: unknown; line: unknown; hint?: unknown; timer?: unknown; actions?: unknown }

/** What a panel is drawn with, besides the state. */
export type View = {
  say: Say
  language: Language
  context: Context
  secondsLeft: number
  /** What the user has opened on top of the state: the text path, or the question before unbinding. */
  opened: 'text' | 'copied' | 'question' | undefined
  act: Actions
}

/** What the controls do. */
export type Actions = {
  start(): void
  refresh(): void
  unbind(): void
  open(what: View['opened']): void
  copy(text: string): void
  confirm(code: string): void
}

/** What the server listens for in the chat, whatever the language of the page. */
const BIND_WORD = '绑定'

export function idlePanel({ say, act }: View): Panel {
  return { art: icon('code'), line: say('idle'), actions: button('primary', say('show'), act.start) }
}

export function loadingPanel({ say }: View): Panel {
  return { art: html`<span class="spinner"></span>`, line: say('loading') }
}

export function readyPanel({ ticket }: Ready, view: View): Panel {
  const { say, act, opened, context } = view
  const timer = timeLeft(view)
  if (opened) {
    const text = `${BIND_WORD} ${ticket.code}`
    const copy = button('primary', say(opened === 'copied' ? 'copied' : 'copy'), () => act.copy(text))
    const art = html`<code part="code">${text}</code>${copy}`
    return { art, line: say('send'), timer, actions: button('quiet', say('showQr'), () => act.open(undefined)) }
  }
  const toText = button('quiet', say('cannotScan'), () => act.open('text'))
  if (context === 'desktop') return { art: qrSvg(ticket.qr, say('qr')), line: say('scan'), timer, actions: toText }
  const art = qrImage(ticket.qr, say('qr'))
  if (context === 'wechat') return { art, line: say('press'), timer, actions: toText }
  const picture = html`<a part="action" download="wechat.png" href=${qrPng(ticket.qr)}>${say('savePicture')}</a>`
  return { art, line: say('save'), timer, actions: [picture, toText] }
}

export function scannedPanel({ confirm, code = '', failure }: Scanned, view: View): Panel {
  const { say, act } = view
  const actions = button('quiet', say('renew'), act.refresh)
  if (confirm === 'reply') return { art: icon('phone'), line: say('scanned'), hint: say('confirmReply'), actions }
  const field = html`<input
    part="field"
    inputmode="numeric"
    autocomplete="one-time-code"
    placeholder="····"
    aria-label=${say('confirmCode')}
    aria-invalid=${!!failure}
    ?readonly=${code !== ''}
    .value=${code}
    @input=${(event: InputEvent) => typeCode(event.target as HTMLInputElement, act)}
  />`
  return { art: [icon('phone'), field], line: say('confirmCode'), hint: failure && explain(failure, say), actions }
}

/** Full-width digits and what a paste brings along are forgiven; four digits go off by themselves. */
function typeCode(field: HTMLInputElement, { confirm }: Actions): void {
  const digits = field.value.normalize('NFKC').replace(/\D/g, '').slice(0, 4)
  if (field.value !== digits) field.value = digits
  if (digits.length === 4) confirm(digits)
}

export function boundPanel({ boundAt, initial, unbinding, failure }: Bound, view: View): Panel {
  const { say, act, opened, language } = view
  const art = checkMark(!initial)
  if (opened || unbinding) {
    const cancel = button('quiet', say('cancel'), () => act.open(undefined), unbinding)
    return { art, line: say('unbindAsk'), actions: [cancel, button('danger', say('unbind'), act.unbind, unbinding)] }
  }
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(boundAt * 1000)
  return {
    art,
    line: html`<slot name="success">${say('bound')}</slot>`,
    hint: failure ? explain(failure, say) : say('boundAt', { time }),
    actions: button('quiet', say('unbind'), () => act.open('question')),
  }
}

export function expiredPanel({ say, act }: View): Panel {
  const line = html`<slot name="expired">${say('expired')}</slot>`
  return { art: icon('clock'), line, actions: button('primary', say('renew'), act.start) }
}

export function offlinePanel({ say }: View): Panel {
  return { art: icon('offline'), line: say('offline'), hint: say('offlineHint') }
}

export function errorPanel({ error }: Failed, { say, act }: View): Panel {
  const line = html`<slot name="error">${say('error')}</slot>`
  return { art: icon('alert'), line, hint: explain(error, say), actions: button('primary', say('retry'), act.start) }
}

function button(look: string, label: string, onClick: () => void, busy = false): TemplateResult {
  return html`<button class=${look} part="action" type="button" aria-disabled=${busy} @click=${onClick}>${label}</button>`
}

/** For the eye only, outside the live region: a screen reader that told each second would tell nothing else. */
function timeLeft({ say, secondsLeft }: View): TemplateResult | undefined {
  if (secondsLeft > 3600) return undefined
  const time = `${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}`
  return html`<p class="hint" part="timer" role="timer">${say('expiresIn', { time })}</p>`
}

/** What the user can do about it; what exactly went wrong is told to the page, by `binderror`. */
function explain(error: BindError, say: Say): string {
  if (error.triesLeft !== undefined) return say('triesLeft', { count: error.triesLeft })
  if (isTokenError(error)) return say('errorToken')
  if (error.code === 'RATE_LIMITED') return say('errorBusy')
  return say(error.code === 'NETWORK' || error.code === 'TIMEOUT' ? 'errorNetwork' : 'errorServer')
}
