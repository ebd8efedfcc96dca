/** The element itself: attributes in, events out, and one picture per state. What happens in between is the controller's. */
import { LitElement, type TemplateResult } from 'lit'
import { BindController, type BindHost } from './bind-controller.ts'
import { cardOf } from './card.ts'
import { createClient } from './client.ts'
import { deviceOf } from './device.ts'
import { announce, type BindListening } from './events.ts'
import { localeOf, watchLocale } from './locale.ts'
import type { MachineEvent, State, StateName } from './machine.ts'
import { createSay, type Language, type Messages, toLanguage } from './messages.ts'
import type { View } from './panels.ts'
import { styles } from './styles.ts'

/**
 * Binds the signed-in user's WeChat: shows a QR code, and tells the page as soon as it has been scanned.
 *
 * @tagname wechat-bind
 *
 * @attr {string} lang - `zh-CN`, `zh-TW` or `en`; else the nearest `lang` around the element, else the browser's.
 * @prop {string} lang - As the attribute.
 *
 * @fires {CustomEvent<{ boundAt: number, initial: boolean }>} bound - A WeChat is bound. `boundAt`: Unix seconds; `initial`: it was bound before the element started.
 * @fires {CustomEvent<{ reason?: UnbindReason }>} unbound - The binding ended; `reason` says by whose hand.
 * @fires {CustomEvent<void>} scanned - Someone scanned and has to confirm.
 * @fires {CustomEvent<void>} expired - The QR ended and no new one is made unasked.
 * @fires {CustomEvent<{ state: StateName, previous: StateName }>} statechange - After every change of `state`.
 * @fires {CustomEvent<{ code: string, message: string, retryable: boolean, requestId?: string }>} binderror - Something failed that the element cannot mend by itself. `requestId`: the server's name for the request, for its logs.
 *
 * @slot logo - In place of the mark before the title.
 * @slot title - In place of the title.
 * @slot description - A line below the title, in every state.
 * @slot success - In place of "bound".
 * @slot expired - In place of "expired".
 * @slot error - In place of the error's headline.
 * @slot footer - Below everything.
 *
 * @csspart card - The whole.
 * @csspart title - The title's line.
 * @csspart tile - The square that holds the QR code or the state's drawing.
 * @csspart qr - The QR code, an `svg` or an `img`.
 * @csspart status - The state in words.
 * @csspart hint - The line below it.
 * @csspart timer - How long the QR code lasts.
 * @csspart action - A button, or the link that saves the picture.
 * @csspart code - The line to send to the Official Account.
 * @csspart field - The field for the four digits.
 *
 * @cssprop [--wechat-bind-accent=#07c160] - Colour of shapes: the mark, the check.
 * @cssprop [--wechat-bind-primary=#067a3e] - Colour of filled buttons; white text has to be readable on it.
 * @cssprop [--wechat-bind-link=#067a3e] - Colour of text buttons; #4cd98a when dark.
 * @cssprop [--wechat-bind-text=#1f2329] - Colour of text; #f2f3f5 when dark.
 * @cssprop [--wechat-bind-muted=#5f6368] - Colour of the lines that matter less; #a0a4aa when dark.
 * @cssprop [--wechat-bind-background=#fff] - The card; #1c1d1f when dark.
 * @cssprop [--wechat-bind-surface=#f5f6f7] - The tile when it holds no QR code; #26282b when dark.
 * @cssprop [--wechat-bind-border=#e3e5e8] - The card's hairline; #36383c when dark.
 * @cssprop [--wechat-bind-danger=#c5221f] - The last step of unbinding, a wrong code; #ff8f88 when dark.
 * @cssprop [--wechat-bind-radius=12px] - The card's corners.
 * @cssprop [--wechat-bind-font=system-ui, 'PingFang SC', 'Noto Sans SC', 'Microsoft YaHei', sans-serif] - The font family.
 * @cssprop [--wechat-bind-qr-size=224px] - Side of the QR code with its quiet zone; 184px when `size` is `small` (not inside WeChat, where a long press wants 200px), 264px when `large`.
 *
 * @cssstate idle - Nothing is asked for yet.
 * @cssstate loading - A QR code is being made.
 * @cssstate ready - A QR code can be scanned.
 * @cssstate scanned - It was scanned and waits to be confirmed.
 * @cssstate bound - A WeChat is bound.
 * @cssstate expired - The QR code has ended.
 * @cssstate offline - There is no network.
 * @cssstate error - It cannot go on by itself.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: types of what every element has.
export class WechatBind extends LitElement implements BindHost {
  static override styles = styles

  static override properties = {
    server: {},
    token: {},
    tokenUrl: { attribute: 'token-url' },
    getToken: { attribute: false },
    size: {},
    theme: {},
    refreshMode: { attribute: 'refresh' },
    watch: { type: Boolean },
    manual: { type: Boolean },
    messages: { attribute: false },
  }

  /** `lang` is the platform's own property. */
  static override get observedAttributes(): string[] {
    return [...super.observedAttributes, 'lang']
  }

  /** The bind server's URL; the page's origin when empty. */
  server = ''
  /** A widget token, minted by the page's own server. A renewed one disturbs nothing; one of another user starts anew. */
  token = ''
  /** Where to GET `{"token": "..."}` with the page's cookies, at the start and whenever a token runs out. */
  tokenUrl = ''
  /** As `token-url`, by a function of the page's. Another in its place is called the next time that a token is needed. */
  getToken: (() => string | Promise<string>) | undefined
  /** `small`, `medium` or `large`. */
  size: 'small' | 'medium' | 'large' = 'medium'
  /** `auto` follows the user's system. */
  theme: 'auto' | 'light' | 'dark' = 'auto'
  /** `auto` makes a new QR when one ends, three times; `manual` waits for a click. */
  refreshMode: 'auto' | 'manual' = 'auto'
  /** Keep listening once bound, to hear of an unbinding elsewhere. */
  watch = false
  /** Ask for the QR only after a click. */
  manual = false
  /** Words in place of the built-in ones. */
  messages: Partial<Messages> = {}

  readonly #internals = this.attachInternals?.()
  readonly #controller = new BindController(this, createClient(this))
  /** What the user has opened on top of the state. */
  #opened: View['opened']
  /** The page's content policy forbids pictures of ours: the code is drawn without one. */
  #isPlain = false
  /** Ends what listens outside the element; undefined while it is not in a page. */
  #connected: AbortController | undefined
  /** What had the focus before the picture changed. */
  #focused: Element | null | undefined

  /** Where the element is. */
  get state(): StateName {
    return this.#controller.state.name
  }

  /** When the WeChat was bound, in Unix seconds; null while it is not. */
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

  /** Asks for a QR when nothing is under way: the click of `manual`, of an ended QR and of an error. */
  start(): void {
    this.#controller.dispatch({ type: 'start' })
  }

  /** Ends whatever is under way, until `start()`. */
  stop(): void {
    this.#controller.dispatch({ type: 'stop' })
  }

  /** Makes a new QR; the one on screen stops working. */
  refresh(): void {
    this.#controller.dispatch({ type: 'refresh' })
  }

  /** Gives the four digits that WeChat shows. Applies to `scanned` where the server asks for them. */
  confirm(code: string): void {
    this.#controller.dispatch({ type: 'confirm', code })
  }

  /** Ends the binding, without asking again. Applies to `bound`. */
  unbind(): void {
    this.#controller.dispatch({ type: 'unbind' })
  }

  /** @internal */
  open(what?: View['opened']): void {
    this.#opened = what
    this.requestUpdate()
  }

  /** @internal */
  noPicture(): void {
    this.#isPlain = true
    this.requestUpdate()
  }

  /** @internal */
  async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      this.open('copied')
    } catch {
      // No permission, or plain http: the line is selected for the user's own copy.
      getSelection()?.selectAllChildren(this.renderRoot.querySelector('code') ?? this)
    }
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#connected = new AbortController()
    watchLocale(() => this.requestUpdate(), this.#connected.signal)
    this.#showState(this.state)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#connected?.abort()
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    super.attributeChangedCallback(name, old, value)
    this.requestUpdate()
  }

  /** @internal */
  stateChanged(state: State, previous: State, event: MachineEvent): void {
    if (state.name !== previous.name) {
      this.#showState(state.name, previous.name)
      // A QR that was renewed in the background does not close the text path.
      if (state.name !== 'loading' && state.name !== 'ready') this.#opened = undefined
      // What was copied is not what the next code says.
      else if (this.#opened) this.#opened = 'text'
    }
    announce(this, state, previous, event)
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    this.#focused = this.shadowRoot?.activeElement
    if (changed.get('server') !== undefined || changed.get('tokenUrl') !== undefined) this.#restart()
    // It may be another user's, and then what is on screen must go at once.
    if (changed.get('token')) this.#controller.wake(true)
    // Frameworks give another function at each drawing, also at the one that an error makes: only the first is news.
    const isFirst = changed.has('getToken') && !changed.get('getToken')
    if (isFirst || changed.has('token') || changed.has('tokenUrl')) this.#controller.dispatch({ type: 'token' })
  }

  protected override render(): TemplateResult {
    const { language, size, theme, manual } = this
    const { state, secondsLeft } = this.#controller
    const say = createSay(language, this.messages)
    const device = this.#isPlain ? 'desktop' : deviceOf(navigator.userAgent)
    const view = { say, language, device, secondsLeft, manual, opened: this.#opened, host: this }
    return cardOf(state, view, `card ${size} ${theme} ${device}`)
  }

  protected override updated(): void {
    // Who used the card goes on in it when the control is gone; nobody else is given the focus.
    if (!this.#focused || this.#focused.isConnected) return
    const next = this.renderRoot.querySelector<HTMLElement>('input, button') ?? this.renderRoot.firstElementChild
    if (next instanceof HTMLElement) next.focus({ preventScroll: true })
  }

  /** Another server knows another ticket. */
  #restart(): void {
    if (this.state === 'idle') return
    this.stop()
    if (!this.manual) this.start()
  }

  #showState(state: StateName, previous?: StateName): void {
    try {
      if (previous) this.#internals?.states.delete(previous)
      this.#internals?.states.add(state)
    } catch {
      // Browsers before 2024 have no such states, or only names with dashes.
    }
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
