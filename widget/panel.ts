/** The content of the card for one state, and the parts that several states share. */
import { html, type TemplateResult } from 'lit'
import type { Notice, QrPath } from '../server/wire.ts'
import { type BindError, isSignedOut } from './bind-error.ts'
import type { Device } from './device.ts'
import type { Language, Messages, Translate } from './messages.ts'
import { qrImage, qrSvg } from './qr.ts'

/** The parts of the card that depend on the state. They always fill the same box, so a change of state does not change the layout. */
export type Panel = {
  title?: keyof Messages
  /** `paper`: the tile is white in every theme. `bare`: the tile has no background. */
  tile?: 'paper' | 'bare'
  picture: unknown
  status: unknown
  hint?: string | undefined
  /** Whether the hint describes a problem. */
  isProblem?: boolean | undefined
  timer?: string | undefined
  actions?: unknown
}

/** The values that, in addition to the state, determine a panel. */
export type View = {
  translate: Translate
  language: Language
  device: Device
  secondsLeft: number
  /** A refused scan that the card mentions. */
  notice: Notice | undefined
  /**
   * `text`: the panel shows the text that the user can send instead of scanning. `link`: it shows the link to open in
   * WeChat. `qr`: inside WeChat, it shows the QR code in place of the button. `question`: it asks for a confirmation
   * before unbinding.
   */
  opened: 'text' | 'link' | 'qr' | 'question' | undefined
  /** The user has copied the displayed text. */
  isCopied: boolean
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
  authorize(): void
  show(what?: View['opened'], isCopied?: boolean): void
  useVectorQr(): void
}

export function button(
  { translate }: View,
  label: keyof Messages,
  look: string,
  onClick: (event: Event) => void,
  busy = false,
): TemplateResult {
  return html`<button class=${look} part="action" type="button" aria-disabled=${busy} @click=${onClick}>${translate(label)}</button>`
}

/** The QR code, and how the user scans it. */
export function qrCode({ translate, device, host }: View, qr: QrPath): Panel & { status: string } {
  const label = translate('qr')
  return {
    tile: 'paper',
    picture: device === 'desktop' ? qrSvg(qr, label) : qrImage(qr, label, host.useVectorQr),
    status: translate(device === 'desktop' ? 'scan' : device === 'wechat' ? 'press' : 'save'),
  }
}

/** The name of the Official Account in the texts of the card. */
export function nameOf({ translate, language }: View, account: string | undefined): string {
  if (!account) return translate('account')
  return language === 'zh-TW' ? `「${account}」` : `“${account}”`
}

/** The hint that describes a failed request of the user. */
export function problem({ translate }: View, failure: BindError | undefined): Pick<Panel, 'hint' | 'isProblem'> {
  return { hint: failure && errorText(failure, translate), isProblem: !!failure }
}

// The object has no prototype, because anybody can put a code such as `constructor` into a link.
const errorKeys: Record<string, keyof Messages> = {
  __proto__: null as never,
  CONFLICT: 'conflict',
  RATE_LIMITED: 'errorBusy',
  DECLINED: 'errorProof',
  PROOF_EXPIRED: 'errorProof',
  FORBIDDEN: 'errorProof',
  SNAPSHOT_PAGE: 'errorSnapshot',
}

/** The text for the user, which names the next step. The page gets the exact error with the event `binderror`. */
export function errorText(error: BindError, translate: Translate): string {
  const { code, triesLeft, retryable, status } = error
  if (triesLeft !== undefined) return translate('triesLeft', triesLeft)
  if (isSignedOut(error)) return translate('errorToken')
  const key = errorKeys[code]
  if (key) return translate(key)
  const isNetwork = code === 'NETWORK' || code === 'TIMEOUT' || (code === 'NO_TOKEN' && retryable && !status)
  return translate(isNetwork ? 'errorNetwork' : 'errorServer')
}
