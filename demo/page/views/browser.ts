/** The browser on the phone, with the host site. In WeChat's browser a long press on a picture scans its QR code. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Actions } from '../app.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { hostSiteView } from './host-site.ts'
import { icons } from './icons.ts'

// WeChat's threshold for a long press.
const LONG_PRESS_MS = 500

export function browserView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { settings, albums, pressed, screens, demo } = state
  const isWechat = settings.context === 'wechat'
  const isHidden = screens[settings.person].name !== 'browser'
  const close = html`<button type="button" class="bare" aria-label=${t.close} data-testid="browser-close" @click=${() => actions.open('home')}>
    ${icons.close}
  </button>`
  const bar = isWechat
    ? html`<div class="nav">${close}<h3>${t.accountSettings}</h3></div>`
    : html`<div class="address-bar"><span>${location.host}</span></div>`
  return html`
    <div class="browser" data-testid="browser" ?hidden=${isHidden}>
      ${bar}
      <div
        class="screen-body page"
        @pointerdown=${(event: PointerEvent) => isWechat && awaitLongPress(event, actions)}
        @contextmenu=${(event: MouseEvent) => isWechat && pressAt(event, actions)}
        @click=${(event: MouseEvent) => saveFrom(event, actions)}
      >
        ${hostSiteView(settings, demo.conditions.ticket === 'ended', actions, t)}
      </div>
      ${albums[settings.person] && !pressed ? html`<p class="toast" role="status" data-testid="saved">${t.saved}</p>` : nothing}
      ${pressed ? sheetView(pressed, actions, t) : nothing}
    </div>
  `
}

function sheetView(picture: HTMLImageElement, actions: Actions, t: Messages): TemplateResult {
  return html`<div class="sheet" role="dialog" aria-label=${t.picture} data-testid="sheet">
    <button type="button" data-testid="recognise" @click=${actions.scanPressed}>${t.recognise}</button>
    <button type="button" data-testid="save-picture" @click=${() => actions.save(picture.src)}>${t.savePicture}</button>
    <button type="button" class="cancel" @click=${() => actions.press(undefined)}>${t.cancel}</button>
  </div>`
}

/**
 * Returns the image under the pointer, even inside a shadow root. Returns undefined if another element covers the
 * image.
 */
const pictureAt = (event: Event): HTMLImageElement | undefined => {
  const [uppermost] = event.composedPath()
  return uppermost instanceof HTMLImageElement ? uppermost : undefined
}

function awaitLongPress(event: PointerEvent, actions: Actions): void {
  const picture = pictureAt(event)
  if (!picture) return
  const lifted = new AbortController()
  const timer = setTimeout(() => actions.press(picture), LONG_PRESS_MS)
  const lift = () => {
    clearTimeout(timer)
    lifted.abort()
  }
  for (const type of ['pointerup', 'pointercancel']) addEventListener(type, lift, { signal: lifted.signal })
}

/** A right click replaces the long press for a mouse. */
function pressAt(event: MouseEvent, actions: Actions): void {
  const picture = pictureAt(event)
  if (!picture) return
  event.preventDefault()
  actions.press(picture)
}

/** A click on the element's download link saves the picture to the simulated phone. */
function saveFrom(event: MouseEvent, actions: Actions): void {
  const [link] = event.composedPath()
  if (!(link instanceof HTMLAnchorElement) || !link.download) return
  event.preventDefault()
  actions.save(link.href)
}
