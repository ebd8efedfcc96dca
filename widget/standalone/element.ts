/** LitElement as far as it is used here: properties with attributes, one drawing for all changes of a turn, controllers, one style sheet. */
import type { ReactiveController } from 'lit'
import { createRender } from './template.ts'

/** `attribute: false`: a property only. A Boolean is true when its attribute is there. */
type Declaration = { attribute?: string | false; type?: unknown }
type Changed = Map<PropertyKey, unknown>

/** Static text only: what stands between is css as well. */
export const css = String.raw

export class LitElement extends HTMLElement {
  static properties: Record<string, Declaration> = {}
  static styles = ''
  static #names = new Map<string, string>()
  static #sheet = new CSSStyleSheet()

  /** Asked once, when the tag is defined: the moment for the accessors and the style sheet. */
  static get observedAttributes(): string[] {
    LitElement.#sheet.replaceSync(this.styles)
    for (const [name, { attribute = name.toLowerCase() }] of Object.entries(this.properties)) {
      const held = Symbol()
      if (attribute) LitElement.#names.set(attribute, name)
      if (Object.hasOwn(this.prototype, name)) continue
      Object.defineProperty(this.prototype, name, {
        get() {
          return this[held]
        },
        set(value) {
          const old = this[held]
          this[held] = value
          if (value !== old) this.requestUpdate(name, old)
        },
      })
    }
    return [...LitElement.#names.keys()]
  }

  /** Properties set before the tag was known hide the accessors; taken away, and set again once all is in place. */
  readonly #early: [string, unknown][] = Object.entries(this).filter(
    ([name]) => name in (this.constructor as typeof LitElement).properties && Reflect.deleteProperty(this, name),
  )
  readonly renderRoot: ShadowRoot = this.attachShadow({ mode: 'open' })
  updateComplete: Promise<boolean> = Promise.resolve(true)
  readonly #draw = createRender(this.renderRoot, this)
  readonly #controllers: ReactiveController[] = []
  #changed: Changed | undefined
  #connect = () => {}
  readonly #connected = new Promise<void>((resolve) => {
    this.#connect = resolve
  })

  addController(controller: ReactiveController): void {
    this.#controllers.push(controller)
  }

  /** Draws once, however much changes in one turn. */
  requestUpdate(name?: PropertyKey, old?: unknown): void {
    if (!this.#changed) {
      this.#changed = new Map()
      this.updateComplete = this.#update(this.#changed)
    }
    if (name && !this.#changed.has(name)) this.#changed.set(name, old)
  }

  async #update(changed: Changed): Promise<boolean> {
    await this.#connected
    this.willUpdate(changed)
    for (const controller of this.#controllers) controller.hostUpdate?.()
    this.#changed = undefined
    this.#draw(this.render())
    this.updated(changed)
    return !this.#changed
  }

  connectedCallback(): void {
    this.renderRoot.adoptedStyleSheets = [LitElement.#sheet]
    for (const [name, value] of this.#early.splice(0)) Object.assign(this, { [name]: value })
    this.#connect()
    for (const controller of this.#controllers) controller.hostConnected?.()
  }

  disconnectedCallback(): void {
    for (const controller of this.#controllers) controller.hostDisconnected?.()
  }

  attributeChangedCallback(attribute: string, _old: string | null, value: string | null): void {
    const name = LitElement.#names.get(attribute)
    if (!name) return
    const { type } = (this.constructor as typeof LitElement).properties[name] ?? {}
    Object.assign(this, { [name]: type === Boolean ? value !== null : value })
  }

  protected willUpdate(_changed: Changed): void {}
  protected updated(_changed: Changed): void {}
  protected render(): unknown {
    return undefined
  }
}
