/** A page of a product that is not ours, with the element in it: "Account settings > Notifications". */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { findUser } from '../../users.ts'
import type { Actions } from '../app.ts'
import { tokenUrlOf } from '../host-client.ts'
import type { Messages } from '../messages.ts'
import type { Settings } from '../settings.ts'
import { icons } from './icons.ts'

export function hostSiteView({ user, lang, theme }: Settings, { askBackEnd }: Actions, t: Messages): TemplateResult {
  const { name = '', email = '' } = findUser(user) ?? {}
  // Another user is another sign-in: the element starts anew, as it would on a page loaded for them.
  const element = keyed(
    user,
    html`<wechat-bind
      token-url=${tokenUrlOf(user)}
      lang=${lang}
      theme=${theme}
      watch
      @bound=${askBackEnd}
      @unbound=${askBackEnd}
    ></wechat-bind>`,
  )
  return html`
    <article class="host">
      <header class="host-bar">
        <span class="host-mark" aria-hidden="true"></span>
        <span class="host-name">${t.product}</span>
        <span class="host-user">${name}</span>
      </header>
      <div class="host-body">
        <nav class="host-nav" aria-label=${t.accountSettings}>
          ${[t.profile, t.security].map((label) => html`<span>${label}</span>`)}
          <span aria-current="page">${t.notifications}</span>
          <span>${t.billing}</span>
        </nav>
        <div class="host-content">
          <p class="host-path">${t.accountSettings}</p>
          <h3>${t.notifications}</h3>
          <p class="lead">${t.notificationsLead}</p>
          <div class="channel">
            ${icons.mail}
            <div>
              <h4>${t.email}</h4>
              <p>${email}</p>
            </div>
            <input type="checkbox" role="switch" class="switch" checked aria-label=${t.email} />
          </div>
          <div class="channel">
            ${icons.chat}
            <div>
              <h4>${t.wechat}</h4>
              <p>${t.wechatLead}</p>
            </div>
          </div>
          <div class="host-card">${element}</div>
        </div>
      </div>
    </article>
  `
}
