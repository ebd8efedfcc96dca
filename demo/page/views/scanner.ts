/** The phone's camera screen, and the notices for expired or unknown QR codes. */
import { html, type TemplateResult } from 'lit'
import type { Screen } from '../page-state.ts'
import { icons } from './icons.ts'
import { backButton, navView, type PhoneProps } from './screen.ts'

const corners = html`<svg class="corners" viewBox="0 0 240 240" aria-hidden="true">
  <path d="M2 26V8a6 6 0 0 1 6-6h18M214 2h18a6 6 0 0 1 6 6v18M238 214v18a6 6 0 0 1-6 6h-18M26 238H8a6 6 0 0 1-6-6v-18" />
</svg>`

export function scannerView(
  screen: Extract<Screen, { name: 'scanner' }>,
  { album, actions, t }: PhoneProps,
): TemplateResult {
  const isLooking = screen.found === 'looking'
  const again = html`<button type="button" class="glass" @click=${actions.scan}>${t.tryAgain}</button>`
  const fromAlbum = html`<button type="button" class="glass" data-testid="album-button" @click=${actions.scanAlbum}>
    ${t.album}
  </button>`
  return html`
    <div class="scanner">
      <button type="button" class="bare" aria-label=${t.close} data-testid="close-button" @click=${() => actions.open('home')}>
        ${icons.close}
      </button>
      <div class="viewfinder" ?data-looking=${isLooking}>${corners}${screen.view}</div>
      <p role="status" data-testid="scan-status">${isLooking ? t.looking : t.noQrcode}</p>
      <div class="again">${isLooking ? '' : again}${album ? fromAlbum : ''}</div>
    </div>
  `
}

export function noticeView(icon: TemplateResult, title: string, hint: string, props: PhoneProps): TemplateResult {
  return html`
    ${navView('', backButton(props, 'home'))}
    <div class="screen-body notice" role="alert" data-testid="phone-notice">
      ${icon}
      <p>${title}</p>
      <p class="hint">${hint}</p>
    </div>
  `
}
