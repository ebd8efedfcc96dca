/** The page of a fictitious product with the element: "Account settings > Notifications". */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { findUser } from '../../users.ts'
import type { Actions } from '../app.ts'
import { tokenUrlOf } from '../host-site-client.ts'
import type { Messages } from '../messages.ts'
import type { Settings } from '../settings.ts'
import { visitorPath } from '../visitor.ts'
import { icons } from './icons.ts'

/**
 * `isEnded` means that the tester wants to see the expired state. The element must then not replace an expired QR code.
 */
export function hostSiteView(
  { user, lang, theme, refresh, context }: Settings,
  isEnded: boolean,
  { checkBackEnd }: Actions,
  t: Messages,
): TemplateResult {
  const { name = '', email = '' } = findUser(user) ?? {}
  // When the user or the browser changes, a real site would load the page again. Therefore `keyed` creates a new
  // element.
  const element = keyed(
    `${user} ${context}`,
    html`<wechat-bind
      server=${visitorPath}
      token-url=${tokenUrlOf(user)}
      lang=${lang}
      theme=${theme}
      refresh=${isEnded ? 'manual' : refresh}
      watch
      @bound=${checkBackEnd}
      @unbound=${checkBackEnd}
    ></wechat-bind>`,
  )
  return html`
    <article class="host">
      <header class="host-bar">
        <span class="host-mark" aria-hidden="true"></span>
        <span class="host-name">${t.product}</span>
        <span class="host-user">${name}</span>
      </header>
      <div class="host-content">
        <h3><span class="host-path">${t.accountSettings} ›</span> ${t.notifications}</h3>
        <div class="host-card">${element}</div>
        <p class="lead">${t.wechatLead}</p>
        <div class="channel">
          ${icons.mail}
          <div>
            <h3>${t.email}</h3>
            <p>${email}</p>
          </div>
          <input type="checkbox" role="switch" class="switch" checked aria-label=${t.email} />
        </div>
      </div>
    </article>
  `
}

/** This text replaces the host site while the host site is open on the phone. */
export function openOnPhoneView(actions: Actions, t: Messages): TemplateResult {
  return html`<div class="elsewhere">
    ${icons.phone}
    <p>${t.openOnPhone}</p>
    <button type="button" class="quiet" data-testid="open-here" @click=${() => actions.set({ context: 'auto' })}>
      ${t.openHere}
    </button>
  </div>`
}
