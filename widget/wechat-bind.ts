/** The custom element: attributes, properties, methods and rendering. The controller runs the requests. */
import { LitElement, type TemplateResult } from 'lit'
import { createClient } from './api-client.ts'
import { BindController, type BindHost } from './bind-controller.ts'
import { cardTemplate } from './card-layout.ts'
import { createCustomState } from './custom-state.ts'
import { deviceOf } from './device.ts'
import { createDialog } from './dialog.ts'
import { type BindListening, dispatchEvents } from './events.ts'
import { keepFocus } from './focus.ts'
import { localeOf, watchLocale } from './locale.ts'
import type { MachineEvent } from './machine.ts'
import { createTranslate, type Language, type Messages, toLanguage } from './messages.ts'
import type { View } from './panel.ts'
import { applyChanges } from './setting-changes.ts'
import { warnOfSettings } from './setting-warnings.ts'
import type { State, StateName } from './state.ts'
import { styles } from './styles.ts'

/**
 * Binds the signed-in user's WeChat account: displays a QR code and notifies the page as soon as it is scanned.
 *
 * @tagname wechat-bind
 *
 * @attr {string} lang - `zh-CN`, `zh-TW` or `en`. Without it the `lang` of the nearest ancestor applies, otherwise the browser's language.
 * @prop {string} lang - Like the attribute.
 *
 * @fires {CustomEvent<{ boundAt: number, initial: boolean }>} bound - A WeChat account is bound. `boundAt`: Unix seconds; `initial`: it was bound before the element started.
 * @fires {CustomEvent<{ reason?: UnbindReason }>} unbound - The binding was removed; `reason` says who ended it.
 * @fires {CustomEvent<void>} scanned - The QR code was scanned, and the user has to confirm.
 * @fires {CustomEvent<{ reason: 'conflict' | 'expired_scan' }>} refused - A scan was refused: the WeChat account is bound to another account, or the scanned QR code no longer works.
 * @fires {CustomEvent<void>} expired - The QR code expired, and the element does not replace it automatically.
 * @fires {CustomEvent<{ state: StateName, previous: StateName }>} statechange - `state` changed.
 * @fires {CustomEvent<{ code: string, message: string, retryable: boolean, requestId?: string }>} binderror - An error that the element cannot recover from by itself. `requestId`: the request's id in the server's log.
 *
 * @slot logo - Replaces the logo before the title.
 * @slot title - Replaces the title.
 * @slot description - A line below the title, in every state.
 * @slot success - Replaces the text of the state `bound`.
 * @slot expired - Replaces the text of the state `expired`.
 * @slot error - Replaces the headline of the state `error`.
 * @slot footer - Below the buttons.
 *
 * @csspart button - With `display="button"`: the button in the page.
 * @csspart close - With `display="button"`: the button that closes the dialog.
 * @csspart card - The whole card.
 * @csspart title - The line of the title.
 * @csspart tile - The square with the QR code or the icon of the state.
 * @csspart qr - The QR code, an `svg` or an `img`.
 * @csspart status - The text of the state.
 * @csspart hint - The line below `status`.
 * @csspart timer - The remaining time of the QR code.
 * @csspart action - A button, or the link that saves the QR picture.
 * @csspart code - The text to send to the Official Account.
 * @csspart field - The input for the four digits.
 *
 * @cssprop [--wechat-bind-accent=#07c160] - Colour of shapes: the logo and the check mark.
 * @cssprop [--wechat-bind-primary=#067a3e] - Background of filled buttons, whose text is white.
 * @cssprop [--wechat-bind-link=#067a3e] - Colour of text buttons; #4cd98a in the dark theme.
 * @cssprop [--wechat-bind-text=#1f2329] - Colour of text; #f2f3f5 in the dark theme.
 * @cssprop [--wechat-bind-muted=#5f6368] - Colour of secondary text; #a0a4aa in the dark theme.
 * @cssprop [--wechat-bind-background=#fff] - Background of the card; #1c1d1f in the dark theme.
 * @cssprop [--wechat-bind-surface=#f5f6f7] - Background of the tile without a QR code; #26282b in the dark theme.
 * @cssprop [--wechat-bind-border=#e3e5e8] - Border of the card; #36383c in the dark theme.
 * @cssprop [--wechat-bind-danger=#c5221f] - The button that confirms unbinding, and the input after a wrong code; #ff8f88 in the dark theme.
 * @cssprop [--wechat-bind-radius=12px] - Corner radius of the card.
 * @cssprop [--wechat-bind-font=system-ui, 'PingFang SC', 'Noto Sans SC', 'Microsoft YaHei', sans-serif] - Font family.
 * @cssprop [--wechat-bind-font-size=clamp(14px, 0.875rem, 28px)] - Size of normal text, to which all other text is relative. It follows the root's font size.
 * @cssprop [--wechat-bind-qr-size=224px] - Side of the QR code with its quiet zone; 184px with `size="small"` (224px inside WeChat, because a long press needs 200px), 264px with `size="large"`.
 *
 * @cssstate idle - No QR code is requested yet.
 * @cssstate loading - A QR code is requested.
 * @cssstate ready - A QR code is displayed.
 * @cssstate scanned - The QR code was scanned, and the user has to confirm.
 * @cssstate bound - A WeChat account is bound.
 * @cssstate expired - The QR code has expired.
 * @cssstate offline - The browser has no network.
 * @cssstate error - An error that the element cannot recover from by itself.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: only adds types to methods that every element has.
export class WechatBind extends LitElement implements BindHost {
  static override styles = styles

  static override properties = {
    server: {},
    token: {},
    tokenUrl: { attribute: 'token-url' },
    getToken: { attribute: false },
    display: {},
    size: {},
    theme: {},
    refreshMode: { attribute: 'refresh' },
    watch: { type: Boolean },
    manual: { type: Boolean },
    messages: { attribute: false },
  }

  /** Adds `lang`, a property of every HTML element, which lit does not observe. */
  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, 'lang']
  }

  /** URL of the bind server; empty for the page's origin. A relative URL is resolved against the page's URL; `<base>` has no effect. */
  server = ''
  /** A widget token from the page's own server. A renewed token of the same user interrupts nothing; a token of another user restarts the element. */
  token = ''
  /** URL that answers GET with `{"token": "..."}`. Requested with the page's cookies, at the start and whenever a token has expired. A redirect is not followed. */
  tokenUrl = ''
  /** A function of the page that returns a token, instead of `token-url`. A new function is called when the next token is needed. */
  getToken: (() => string | Promise<string>) | undefined
  /** `card`, or `button`: a button that opens the card in a dialog. The QR code is requested when the dialog opens. */
  display: 'card' | 'button' = 'card'
  /** `small` (248 px wide), `medium` (288 px) or `large` (328 px). */
  size: 'small' | 'medium' | 'large' = 'medium'
  /** `auto` follows the system's theme. */
  theme: 'auto' | 'light' | 'dark' = 'auto'
  /** `auto` replaces an expired QR code up to three times; `manual` waits for a click. */
  refreshMode: 'auto' | 'manual' = 'auto'
  /** Keep polling while bound, to detect that the binding is removed elsewhere. */
  watch = false
  /** Request the QR code only after a click. */
  manual = false
  /** Texts that replace the built-in ones. */
  messages: Partial<Messages> = {}

  readonly #showState = createCustomState(this)
  readonly #controller = new BindController(this, createClient(this))
  readonly #dialog = createDialog(this)
  /** The part of the panel that the user has opened. */
  #opened: View['opened']
  #isCopied = false
  /** Set when the page's content policy forbids `data:` images. The QR code is then drawn as an SVG. */
  #usesVectorQr = false

  constructor() {
    super()
    watchLocale(this)
    keepFocus(this)
    this.#showState(this.state)
  }

  /** The current state. */
  get state(): StateName {
    return this.#controller.state.name
  }

  /** When the WeChat account was bound, in Unix seconds; null while none is bound. */
  get boundAt(): number | null {
    const { state } = this.#controller
    return state.name === 'bound' ? state.boundAt : null
  }

  /** @internal */
  get language(): Language {
    return toLanguage(localeOf(this))
  }

  /** @internal */
  get canStart(): boolean {
    return !!(this.token || this.tokenUrl || this.getToken)
  }

  /** @internal */
  get isClosed(): boolean {
    return this.display === 'button' && !this.#dialog.isOpen()
  }

  /** With `display="button"`: opens the dialog, like a click on the button. */
  open(): void {
    if (!this.#dialog.open()) return
    this.requestUpdate()
    if (!this.manual) this.start()
  }

  /** Closes the dialog. Until it is opened again, the element shows no QR code. */
  close(): void {
    this.#dialog.close()
  }

  /** Requests a QR code in the states `idle`, `expired` and `error`, like a click on the button there. */
  start(): void {
    this.#controller.dispatch({ type: 'start' })
  }

  /** Stops all requests until `start()`. */
  stop(): void {
    this.#controller.dispatch({ type: 'stop' })
  }

  /** Requests a new QR code; the displayed one becomes invalid. */
  refresh(): void {
    this.#controller.dispatch({ type: 'refresh' })
  }

  /** Submits the four digits that WeChat displays. Only in the state `scanned`, when the server requires them. */
  confirm(code: string): void {
    this.#controller.dispatch({ type: 'confirm', code })
  }

  /** Removes the binding without a confirmation. Only in the state `bound`. */
  unbind(): void {
    this.#controller.dispatch({ type: 'unbind' })
  }

  /** @internal */
  authorize(): void {
    this.#controller.dispatch({ type: 'authorize' })
  }

  /** @internal */
  show(what?: View['opened'], isCopied = false): void {
    this.#opened = what
    this.#isCopied = isCopied
    this.requestUpdate()
  }

  /** @internal */
  useVectorQr(): void {
    this.#usesVectorQr = true
    this.requestUpdate()
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value)
    this.requestUpdate()
  }

  /** @internal */
  stateChanged(state: State, previous: State, event: MachineEvent): void {
    if (state.name !== previous.name) {
      this.#showState(state.name)
      // When the element renews the QR code, the part that shows the text to send stays open. The label "copied" is
      // removed, because the user has copied the text of the previous QR code.
      this.show(state.name === 'loading' || state.name === 'ready' ? this.#opened : undefined)
    }
    this.#dialog.stateChanged(state, previous, event)
    dispatchEvents(this, state, previous, event)
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    warnOfSettings(this)
    applyChanges(this, this.#controller, changed)
  }

  protected override render(): TemplateResult {
    const { language } = this
    const { state, secondsLeft, notice } = this.#controller
    const view: View = {
      translate: createTranslate(language, this.messages),
      language,
      device: this.#usesVectorQr ? 'desktop' : deviceOf(navigator),
      secondsLeft,
      notice,
      opened: this.#opened,
      isCopied: this.#isCopied,
      host: this,
    }
    const card = cardTemplate(state, view)
    return this.display === 'button' ? this.#dialog.template(card, view.translate) : card
  }
}

export interface WechatBind {
  addEventListener: BindListening
  removeEventListener: BindListening
}

declare global {
  interface HTMLElementTagNameMap {
    'wechat-bind': WechatBind
  }
}
