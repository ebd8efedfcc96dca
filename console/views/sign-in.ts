/** The sign-in: a token in a form. The demo offers its tokens. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Session } from '../page-state.ts'
import { failureText } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

export function signInView(session: Extract<Session, { state: 'signedOut' }>, scope: Scope): TemplateResult {
  const { actions, t } = scope
  const { failure, hasEnded, isBusy, offers } = session
  const text = failure?.code === 'UNAUTHORIZED' ? t.wrongToken : failure && failureText(failure, scope)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const field = (event.target as HTMLFormElement).elements.namedItem('token') as HTMLInputElement
    void actions.signIn(field.value.trim())
  }
  return html`
    <div class="sign-in panel">
      <h1>${t.signIn}</h1>
      <p class="muted">${t.signInLead}</p>
      ${hasEnded && !failure ? html`<p class="said warn" role="status">${icons.clock}${t.sessionEnded}</p>` : nothing}
      <form @submit=${submit}>
        <div class="field">
          <label for="token">${t.token}</label>
          <input
            id="token"
            name="token"
            type="password"
            required
            autocomplete="current-password"
            spellcheck="false"
            aria-describedby="token-hint ${text === undefined ? '' : 'token-fault'}"
            aria-invalid=${failure?.code === 'UNAUTHORIZED' ? 'true' : nothing}
          />
          <small id="token-hint" class="muted">${t.tokenHint}</small>
        </div>
        <div class="say" role="alert">
          ${text === undefined ? nothing : html`<p id="token-fault" class="said wrong">${icons.wrong}${text}</p>`}
        </div>
        <button class="filled" ?disabled=${isBusy}>${t.signIn}</button>
      </form>
      ${offers?.length ? offersView(offers, scope) : nothing}
    </div>
  `
}

type Offers = NonNullable<Extract<Session, { state: 'signedOut' }>['offers']>

const offersView = (offers: Offers, { actions, t }: Scope) => html`
  <div class="offers" role="group" aria-label=${t.offers}>
    <p class="muted">${t.offers}</p>
    ${offers.map(
      ({ role, token }) =>
        html`<button type="button" class="quiet" @click=${() => actions.signIn(token)}>${t.continueAs(t[role])}</button>`,
    )}
  </div>
`
