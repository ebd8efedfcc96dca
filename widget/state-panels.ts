/** The card's content for each state. Each state has one function. */
import { html, type TemplateResult } from 'lit'
import type { Notice } from '../server/wire.ts'
import { type BindError, isSignedOut } from './bind-error.ts'
import { copyText } from './clipboard.ts'
import type { Device } from './device.ts'
import { checkMark, icon } from './icons.ts'
import type { Language, Messages, Translate } from './messages.ts'
import { qrImage, qrPng, qrSvg } from './qr.ts'
import type { State, StateName } from './state.ts'

/** The parts of the card that depend on the state. They always fill the same box, so a change of state does not change the layout. */
type Panel = {
  title?: keyof Messages
  picture: unknown
  status: unknown
  hint?: string | undefined
  /** Whether the hint describes a problem. */
  isProblem?: boolean | undefined
  timer?: string | undefined
  actions?: unknown
}

/** The values that a panel depends on, besides the state. */
export type View = {
  translate: Translate
  language: Language
  device: Device
  secondsLeft: number
  /** A refused scan that the card mentions. */
  notice: Notice | undefined
  /** `text`: shows the text that the user can send instead of scanning; `copied`: the user has copied this text; `question`: asks before unbinding. */
  opened: 'text' | 'copied' | 'question' | undefined
  host: Host
}

/** The element: its settings, and the actions of the buttons. Lit calls listeners with the element as `this`, so templates can use its methods directly. */
type Host = {
  readonly display: string
  readonly size: string
  readonly theme: string
  readonly manual: boolean
  close(): void
  start(): void
  refresh(): void
  unbind(): void
  confirm(code: string): void
  show(what?: View['opened']): void
  useVectorQr(): void
}

type Panels = { [Name in StateName]: (view: View, state: Extract<State, { name: Name }>) => Panel }

/** The panel of `state`. */
export function panelOf(state: State, view: View): Panel {
  return (panels[state.name] as (view: View, state: State) => Panel)(view, state)
}

const loading = ({ translate }: View, state: State): Panel => ({
  picture: html`<span class="spinner"></span>`,
  status: translate('loading'),
  hint: state.name === 'loading' && state.attempt.failures > 0 ? translate('retrying') : undefined,
})

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

  ready: (view, { ticket }) => {
    const { translate, host, opened, device, notice, language } = view
    const { account } = ticket
    const timer = timeLeftText(view)
    if (opened) {
      // The server accepts the word in every language.
      const text = `${{ en: 'bind', 'zh-CN': '绑定', 'zh-TW': '綁定' }[language]} ${ticket.code}`
      const copy = button(view, 'copy', 'primary', async ({ currentTarget }) => {
        const code = (currentTarget as Element).previousElementSibling
        if (code && (await copyText(code))) host.show('copied')
      })
      const find = account && html`<p class="hint">${translate('find', account)}</p>`
      const picture = html`<code part="code">${text}</code>${copy}${find}`
      // The status is in the live region, because screen readers do not announce a changed button label.
      const status = translate(
        opened === 'copied' ? 'copied' : 'send',
        account ? quoted(account, language) : translate('account'),
      )
      return { picture, status, timer, actions: button(view, 'showQr', 'quiet', () => host.show()) }
    }
    const toText = button(view, 'cannotScan', 'quiet', () => host.show('text'))
    // The notice takes the line of the timer, so that the card does not grow.
    const line = notice
      ? { hint: translate(notice === 'conflict' ? 'conflict' : 'expiredScan'), isProblem: true }
      : { timer }
    if (device === 'desktop') {
      return { picture: qrSvg(ticket.qr, translate('qr')), status: translate('scan'), ...line, actions: toText }
    }
    const picture = qrImage(ticket.qr, translate('qr'), host.useVectorQr)
    if (device === 'wechat') return { picture, status: translate('press'), ...line, actions: toText }
    const savePicture = html`<a part="action" download="wechat.png" href=${qrPng(ticket.qr)}>${translate('savePicture')}</a>`
    return { picture, status: translate('save'), ...line, actions: [savePicture, toText] }
  },

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

  bound: (view, { boundAt, initial, unbinding, failure }) => {
    const { translate, host, opened, language } = view
    const panel = { title: 'bound', picture: checkMark(!initial), ...problem(view, failure) } as const
    if (opened || unbinding) {
      const cancel = button(view, 'cancel', 'quiet', () => host.show(), unbinding)
      const actions = [cancel, button(view, 'unbind', 'danger', host.unbind, unbinding)]
      return { ...panel, status: translate('unbindAsk'), actions }
    }
    const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(boundAt * 1000)
    return {
      ...panel,
      status: html`<slot name="success">${translate('boundAt', time)}</slot>`,
      actions: button(view, 'unbind', 'quiet', () => host.show('question')),
    }
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

function button(
  { translate }: View,
  label: keyof Messages,
  look: string,
  onClick: (event: Event) => void,
  busy = false,
): TemplateResult {
  return html`<button class=${look} part="action" type="button" aria-disabled=${busy} @click=${onClick}>${translate(label)}</button>`
}

/** Accepts full-width digits and ignores other pasted characters. Submits after the fourth digit. */
function onCodeInput(field: HTMLInputElement, host: Host): void {
  const digits = field.value.normalize('NFKC').replace(/\D/g, '').slice(0, 4)
  if (field.value !== digits) field.value = digits
  if (digits.length === 4) host.confirm(digits)
}

/** Displayed outside the live region, so that screen readers do not announce every second. */
function timeLeftText({ translate, secondsLeft }: View): string | undefined {
  if (secondsLeft > 3600) return undefined
  const time = `${Math.floor(secondsLeft / 60)}:${String(secondsLeft % 60).padStart(2, '0')}`
  return translate('expiresIn', time)
}

function quoted(name: string, language: Language): string {
  return language === 'zh-TW' ? `「${name}」` : `“${name}”`
}

/** The hint that describes a failed request of the user. */
function problem({ translate }: View, failure: BindError | undefined): Pick<Panel, 'hint' | 'isProblem'> {
  return { hint: failure && errorText(failure, translate), isProblem: !!failure }
}

/** The user's next step. The event `binderror` gives the page the exact error. */
function errorText(error: BindError, translate: Translate): string {
  const { code, triesLeft, retryable, status } = error
  if (triesLeft !== undefined) return translate('triesLeft', triesLeft)
  if (isSignedOut(error)) return translate('errorToken')
  if (code === 'CONFLICT') return translate('conflict')
  if (code === 'RATE_LIMITED') return translate('errorBusy')
  const isNetwork = code === 'NETWORK' || code === 'TIMEOUT' || (code === 'NO_TOKEN' && retryable && !status)
  return translate(isNetwork ? 'errorNetwork' : 'errorServer')
}
