/** `display="button"`: a button in the page, and the native dialog that it opens. The dialog contains the card. */
import { html, type LitElement, type TemplateResult } from 'lit'
import { mark } from './icons.ts'
import type { Translate } from './messages.ts'
import type { StateName } from './state.ts'

/** How long the dialog stays open after a binding. */
const SUCCESS_SHOWN_MS = 1500

type DialogHost = LitElement & { readonly state: StateName; readonly theme: string; open(): void }

/** `onClosed` is called when the element, a key, or a click outside the dialog has closed it. */
export function createDialog(host: DialogHost, onClosed: () => void) {
  /** Closes the dialog after a binding. */
  let timer: ReturnType<typeof setTimeout> | undefined

  const find = () => host.renderRoot?.querySelector('dialog')
  const isOpen = () => !!find()?.open
  const close = () => find()?.close()

  /** The event `close` arrives later, when the dialog may be open again. */
  function onClose(): void {
    if (isOpen()) return
    clearTimeout(timer)
    onClosed()
  }

  // The browser hides the dialog of a removed element, but leaves it open.
  host.addController({ hostDisconnected: close })

  return {
    isOpen,
    close,

    /** Returns whether the dialog was closed before. */
    open(): boolean {
      if (isOpen()) return false
      find()?.showModal()
      return isOpen()
    },

    /** Lets an open dialog show the new binding, then closes it. */
    closeSoon(): void {
      if (isOpen()) timer = setTimeout(close, SUCCESS_SHOWN_MS)
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
