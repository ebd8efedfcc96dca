/** Draws the whole page: the sign-in, or the frame with the page of the route and the open question. */
import { html, type TemplateResult } from 'lit'
import type { Actions } from '../app.ts'
import { createFormat } from '../format.ts'
import { messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import { failureText } from './common.ts'
import { doctorView } from './doctor.ts'
import { icons } from './icons.ts'
import { liveView } from './live.ts'
import { noteView } from './note.ts'
import { overviewView } from './overview.ts'
import { questionView } from './question.ts'
import type { Scope } from './scope.ts'
import { signInView } from './sign-in.ts'
import { navigationView, topBarView } from './top-bar.ts'
import { userView } from './user.ts'
import { usersView } from './users.ts'
import { webhooksView } from './webhooks.ts'

const pages = {
  overview: overviewView,
  users: usersView,
  user: userView,
  webhooks: webhooksView,
  doctor: doctorView,
  live: liveView,
}

export function toScope(state: PageState, actions: Actions): Scope {
  const { lang } = state.preferences
  return { state, actions, t: messages[lang], format: createFormat(lang) }
}

export function pageView(scope: Scope): TemplateResult {
  const { state, t } = scope
  if (state.session.state !== 'signedIn') {
    return html`${topBarView(scope)}<main id="content" class="gate" tabindex="-1">${gateView(scope)}</main>`
  }
  return html`
    <a class="skip" href="#content" @click=${skip}>${t.skip}</a>
    <div class="frame">
      ${topBarView(scope)} ${navigationView(scope)}
      <main id="content" class="content" tabindex="-1">
        <div role="status">${noteView(scope)}</div>
        ${pages[state.route.name](scope)}
      </main>
    </div>
    ${questionView(scope)}
  `
}

function gateView(scope: Scope): unknown {
  const { state, actions, t } = scope
  const { session } = state
  if (session.state === 'signedOut') return signInView(session, scope)
  if (session.state === 'failed') {
    return html`<div class="panel blank failed" role="alert">
      ${icons.wrong}
      <h1>${t.failed}</h1>
      <p title=${session.failure.detail}>${failureText(session.failure, scope)}</p>
      <button type="button" class="quiet" @click=${actions.readSession}>${t.tryAgain}</button>
    </div>`
  }
  return html`<p class="hidden" role="status">${t.loading}</p>`
}

/** Moves the focus by script. A link to `#content` would replace the fragment, which contains the route. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}
