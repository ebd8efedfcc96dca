/** A page of a product that is not ours, with the element in it: "Account settings > Notifications". */
import { html, type TemplateResult } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { findUser } from '../../users.ts'
import type { Actions } from '../app.ts'
import { tokenUrlOf } from '../host-site-client.ts'
import type { Messages } from '../messages.ts'
import type { Settings } from '../settings.ts'
import { icons } from './icons.ts'

/** `isEnded`: its codes are to be seen ended, so no new one is made unasked. */
export function hostSiteView(
  { user, lang, theme, refresh, context }: Settings,
  isEnded: boolean,
  { askBackEnd }: Actions,
  t: Messages,
): TemplateResult {
  const { name = '', email = '' } = findUser(user) ?? {}
  // Another user is another sign-in, another browser another visit: the element starts anew.
  const element = keyed(
    `${user} ${context}`,
    html`<wechat-bind
      token-url=${tokenUrlOf(user)}
      lang=${lang}
      theme=${theme}
      refresh=${isEnded ? 'manual' : refresh}
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
    </article>
  `
}

/** In the host site's place while it is open on the phone. */
export function elsewhereView(actions: Actions, t: Messages): TemplateResult {
  return html`<div class="elsewhere">
    ${icons.phone}
    <p>${t.openOnPhone}</p>
    <button type="button" class="quiet" data-testid="open-here" @click=${() => actions.set({ context: 'auto' })}>
      ${t.openHere}
    </button>
  </div>`
}
