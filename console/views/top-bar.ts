/** The top bar with the settings, and the navigation. */
import { html, nothing, type TemplateResult } from 'lit'
import { languageNames } from '../messages.ts'
import { languages, themes } from '../preferences.ts'
import { type PageName, pageOf, toHash } from '../route.ts'
import { choiceView } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

const pages: PageName[] = ['overview', 'users', 'webhooks', 'doctor', 'live']

export const toPageHash = (name: PageName) => toHash(name === 'overview' ? { name, range: '24h' } : { name })

export function topBarView(scope: Scope): TemplateResult {
  const { state, actions, t } = scope
  const { session } = state
  const name = session.state === 'signedIn' ? session.view.name : undefined
  const version = session.state === 'signedIn' ? session.meta?.version : undefined
  return html`
    <header class="top-bar">
      <a class="brand" href=${toPageHash('overview')}>wechat-bind <span>${t.console}</span></a>
      <details class="menu" @keydown=${closeOnEscape} @focusout=${closeOnLeave}>
        <summary aria-label=${name === undefined ? t.settings : `${t.settings} ${name}`}>
          ${icons.settings}${name === undefined ? nothing : html`<span class="operator">${name}</span>`}
        </summary>
        <div>
          ${
            session.state === 'signedIn'
              ? html`<p>${t.signedInAs(session.view.name, t[session.view.role])}</p>`
              : nothing
          }
          ${preferencesView(scope)}
          ${
            session.state === 'signedIn'
              ? html`<button type="button" class="quiet" @click=${actions.signOut}>${t.signOut}</button>`
              : nothing
          }
          ${version === undefined ? nothing : html`<p class="muted">${t.version(version)}</p>`}
        </div>
      </details>
    </header>
  `
}

function preferencesView({ state, actions, t }: Scope): TemplateResult {
  const { lang, theme } = state.preferences
  return html`
    <div class="labelled">
      <span>${t.language}</span>
      ${choiceView(
        t.language,
        languages.map((value) => ({ value, content: languageNames[value] })),
        lang,
        (lang) => actions.setPreferences({ lang }),
      )}
    </div>
    <div class="labelled">
      <span>${t.theme}</span>
      ${choiceView(
        t.theme,
        themes.map((value) => ({ value, content: icons[value], label: t[value] })),
        theme,
        (theme) => actions.setPreferences({ theme }),
      )}
    </div>
  `
}

export function navigationView({ state, t }: Scope): TemplateResult {
  const current = pageOf(state.route)
  return html`<nav class="side" aria-label=${t.pages}>
    <ul>
      ${pages.map(
        (page) => html`<li>
          <a href=${toPageHash(page)} aria-current=${page === current ? 'page' : nothing}>${icons[page]}<span>${t[page]}</span></a>
        </li>`,
      )}
    </ul>
  </nav>`
}

function closeOnEscape({ key, currentTarget }: KeyboardEvent): void {
  if (key !== 'Escape') return
  const menu = currentTarget as HTMLDetailsElement
  menu.open = false
  menu.querySelector('summary')?.focus()
}

function closeOnLeave({ relatedTarget, currentTarget }: FocusEvent): void {
  const menu = currentTarget as HTMLDetailsElement
  // After a click on text inside the menu no element has the focus (`relatedTarget` is null).
  if (relatedTarget instanceof Node && !menu.contains(relatedTarget)) menu.open = false
}
