/** The layout of the QA page: two bars and three columns. Narrow screens stack the columns. */
import { html, type TemplateResult } from 'lit'
import { type Actions, isOnPhone } from '../app.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { backEndView } from './back-end.ts'
import { conditionsView } from './conditions.ts'
import { hostSiteView, openOnPhoneView } from './host-site.ts'
import { ownPhoneView, phoneView } from './phone.ts'
import { topBarView } from './top-bar.ts'
import { wireView } from './traffic.ts'

export function pageView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { settings, demo } = state
  const isOnThePhone = !demo.isReal && isOnPhone(settings.context)
  return html`
    ${topBarView(settings, actions, t)} ${conditionsView(state, actions, t)}
    <main class="columns">
      <section class="host-column" aria-labelledby="host-heading">
        <div class="column-head"><h2 id="host-heading" class="caption">${t.hostSite}</h2></div>
        ${isOnThePhone ? openOnPhoneView(actions, t) : hostSiteView(settings, demo.conditions.ticket === 'ended', actions, t)}
      </section>
      <section class="phone-column" aria-labelledby="phone-heading">
        ${demo.isReal ? ownPhoneView(t) : phoneView(state, actions, t)}
      </section>
      ${backEndView(state, actions, t)}
      <section class="wire-column" aria-labelledby="wire-heading">${wireView(state, actions, t)}</section>
    </main>
  `
}
