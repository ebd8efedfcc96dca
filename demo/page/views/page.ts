/**
 * The layout of the QA page: two bars and three columns. A narrow screen shows one part at a time, and the user chooses
 * the part in a bar at the bottom.
 */
import { html, nothing, type TemplateResult } from 'lit'
import { type Actions, isOnPhone } from '../app.ts'
import type { Messages } from '../messages.ts'
import { type PagePart, type PageState, pageParts } from '../page-state.ts'
import { backEndView } from './back-end.ts'
import { choiceView } from './choice-buttons.ts'
import { conditionsView } from './conditions.ts'
import { hostSiteView, openOnPhoneView } from './host-site.ts'
import { ownPhoneView, phoneView, scanButtonView } from './phone.ts'
import { topBarView } from './top-bar.ts'
import { wireView } from './traffic.ts'

export function pageView(state: PageState, actions: Actions, t: Messages): TemplateResult {
  const { settings, demo } = state
  // The inactive parts are moved outside of the screen and not removed, because the phone's camera must still see the
  // page in the other part.
  const isHidden = (part: PagePart) => state.isNarrow && state.part !== part
  const names: Record<PagePart, string> = { site: t.partSite, phone: t.phone, backEnd: t.partBackEnd, traffic: t.wire }
  const parts = pageParts.map((value) => ({ value, content: names[value], testId: `part-${value}` }))
  const isOnThePhone = !demo.isReal && isOnPhone(settings.context)
  return html`
    ${topBarView(state, actions, t)} ${conditionsView(state, actions, t)}
    <main class="columns">
      <section class="host-column" aria-labelledby="host-heading" ?inert=${isHidden('site')}>
        <div class="column-head"><h2 id="host-heading" class="caption">${t.hostSite}</h2></div>
        ${isOnThePhone ? openOnPhoneView(actions, t) : hostSiteView(settings, demo.conditions.ticket === 'ended', actions, t)}
      </section>
      <section class="phone-column" aria-labelledby="phone-heading" ?inert=${isHidden('phone')}>
        ${demo.isReal ? ownPhoneView(t) : phoneView(state, actions, t)}
      </section>
      <section class="back-end" aria-labelledby="back-end-heading" ?inert=${isHidden('backEnd')}>${backEndView(state, actions, t)}</section>
      <section class="wire-column" aria-labelledby="wire-heading" ?inert=${isHidden('traffic')}>${wireView(state, actions, t)}</section>
    </main>
    <nav class="parts">
      ${choiceView(t.parts, parts, state.part, (part) => actions.showPart(part as PagePart))}
      ${state.isNarrow && !demo.isReal ? scanButtonView(actions, t) : nothing}
    </nav>
  `
}
