/** The whole page: the top bar, and its columns side by side on a desk, one below the other on a phone. */
import { html, type TemplateResult } from 'lit'
import type { Actions, PageState } from '../app.ts'
import type { Messages } from '../messages.ts'
import { backEndView } from './back-end.ts'
import { hostSiteView } from './host-site.ts'
import { phoneView } from './phone.ts'
import { topBarView } from './top-bar.ts'

export function pageView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  return html`
    ${topBarView(state.settings, actions, t)}
    <main class="columns">
      <section class="host-column" aria-labelledby="host-heading">
        <div class="column-head"><h2 id="host-heading" class="caption">${t.hostSite}</h2></div>
        ${hostSiteView(state.settings, actions, t)}
      </section>
      <section class="phone-column" aria-labelledby="phone-heading">${phoneView(state, actions, t)}</section>
      ${backEndView(state, actions, t)}
    </main>
  `
}
