/** `display="button"`: a button in the page, and the native dialog that it opens. The dialog contains the card. */
import { html, type LitElement, type TemplateResult } from 'lit'
import { mark } from './icons.ts'
import type { MachineEvent } from './machine.ts'
import type { Translate } from './messages.ts'
import type { State, StateName } from './state.ts'

/** How long the dialog stays open after a binding. */
const SUCCESS_SHOWN_MS = 1500

type DialogHost = LitElement & {
  readonly state: StateName
  readonly theme: string
  open(): void
  stop(): void
  show(): void
}

export function createDialog(host: DialogHost) {
  /** The timer that closes the dialog after a binding. */
  let timer: ReturnType<typeof setTimeout> | undefined

  const find = () => host.renderRoot?.querySelector('dialog')
  const isOpen = () => !!find()?.open
  const close = () => find()?.close()

  /**
   * Runs after the element, a key or a click outside has closed the dialog. The browser dispatches the event later,
   * when the dialog may be open again.
   */
  function onClose(): void {
    if (isOpen()) return
    clearTimeout(timer)
    if (host.state !== 'bound') host.stop()
    host.show()
  }

  /** Opens the dialog. Returns false if the dialog was already open. */
  function open(): boolean {
    if (isOpen()) return false
    find()?.showModal()
    return isOpen()
  }

  // The browser hides the dialog of a removed element, but leaves it open.
  host.addController({ hostDisconnected: close })

  return {
    isOpen,
    open,
    close,

    stateChanged(state: State, previous: State, event: MachineEvent): void {
      // The dialog was open when the user went to WeChat, so it opens again after the return.
      if (event.type === 'returned') open()
      if (state.name !== 'bound' || previous.name === 'bound' || state.initial) return
      // If the user does not follow the account, the dialog stays open and shows the account's QR code.
      if (isOpen() && state.subscribed !== false) timer = setTimeout(close, SUCCESS_SHOWN_MS)
    },

    template(card: TemplateResult, translate: Translate): TemplateResult {
      const isBound = host.state === 'bound'
      const onClick = (event: Event) => event.target === event.currentTarget && close()
      return html`<button
          class=${`open ${host.theme} ${isBound ? '' : 'primary'}`}
          part="button"
          type="button"
          aria-haspopup="dialog"
          @click=${host.open}
        >
          ${mark}${translate(isBound ? 'bound' : 'title')}
        </button>
        <dialog aria-labelledby="title" @click=${onClick} @close=${onClose}>${card}</dialog>`
    },
  }
}
