/** Displays the user's binding that the host site's back end has received from the encrypted API. */
import { html, type TemplateResult } from 'lit'
import type { HostBinding } from '../../host-site.ts'
import type { Actions } from '../app.ts'
import type { BackEndView } from '../host-site-client.ts'
import type { Messages } from '../messages.ts'
import type { PageState } from '../page-state.ts'
import type { Language } from '../settings.ts'
import { icons } from './icons.ts'

export function backEndView({ backEnd, settings }: PageState, actions: Actions, t: Messages): TemplateResult {
  const binding = backEnd.state === 'known' ? backEnd : undefined
  return html`
      <h2 id="back-end-heading">${t.backEnd}</h2>
      <dl>
        <div>
          <dt>${t.status}</dt>
          <dd>
            <span class="status" role="status" data-testid="bind-status" data-bound=${binding?.isBound ?? 'unknown'}>
              ${statusOf(backEnd, t)}
            </span>
          </dd>
        </div>
        ${rowsOf(binding, settings.lang, t).map(
          ([term, value]) => html`<div><dt>${term}</dt><dd>${value ?? '–'}</dd></div>`,
        )}
      </dl>
      <div class="actions">
        <button type="button" class="quiet" data-testid="check-button" @click=${actions.checkBackEnd}>${t.checkAgain}</button>
        <button
          type="button"
          class="quiet danger"
          data-testid="disconnect-button"
          ?disabled=${!binding?.isBound}
          @click=${actions.disconnect}
        >
          ${t.disconnect}
        </button>
      </div>
  `
}

function statusOf(backEnd: BackEndView, t: Messages): TemplateResult {
  switch (backEnd.state) {
    case 'loading':
      return html`${icons.clock}<span>${t.loading}</span>`
    case 'failed':
      return html`${icons.alert}<span>${t.notKnown} ${backEnd.code}</span>`
    case 'known':
      return backEnd.isBound
        ? html`${icons.check}<span>${t.bound}</span>`
        : html`${icons.minus}<span>${t.unbound}</span>`
  }
}

function rowsOf(
  binding: HostBinding | undefined,
  lang: Language,
  t: Messages,
): [string, string | TemplateResult | null][] {
  const { boundAt = null, openid = null, isSubscribed = false, version } = binding ?? {}
  return [
    [t.since, boundAt === null ? null : toTime(boundAt, lang)],
    [t.openid, openid === null ? null : html`<code>${openid}</code>`],
    [t.following, binding ? (isSubscribed ? t.yes : t.no) : null],
    [t.version, version === undefined ? null : String(version)],
  ]
}

const toTime = (seconds: number, lang: Language) =>
  new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'medium' }).format(seconds * 1000)
