/** Shared parts of the phone's screens. */
import { html, type TemplateResult } from 'lit'
import type { PhoneView } from '../../simulator/views.ts'
import type { Actions } from '../app.ts'
import type { Messages } from '../messages.ts'
import type { Language } from '../settings.ts'
import { icons } from './icons.ts'

/** The properties of a phone screen. */
export type PhoneProps = {
  phone: PhoneView
  accountName: string
  lang: Language
  /** The last picture saved on the phone. */
  album: HTMLImageElement | undefined
  actions: Actions
  t: Messages
}

/** The bar at the top of a screen. */
export function navView(title: string, start?: TemplateResult, end?: TemplateResult): TemplateResult {
  return html`<div class="nav">${start}${title && html`<h3>${title}</h3>`}${end}</div>`
}

export function backButton({ actions, t }: PhoneProps, to: 'home' | 'chat'): TemplateResult {
  return html`<button type="button" class="bare" aria-label=${t.back} data-testid="back-button" @click=${() => actions.open(to)}>
    ${icons.back}
  </button>`
}

export const accountAvatar = html`<span class="avatar" aria-hidden="true">A</span>`
