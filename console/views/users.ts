/** The page with the search for users. */
import { html, nothing, type TemplateResult } from 'lit'
import type { UserLine } from '../../server/console/wire.ts'
import type { UsersPage } from '../page-state.ts'
import { toHash } from '../route.ts'
import { blankView, loadableView, panelBones, timeView } from './common.ts'
import { icons } from './icons.ts'
import { isOperator, type Scope } from './scope.ts'

export function usersView(scope: Scope): TemplateResult {
  const { state, actions, t } = scope
  const { users } = state
  const { query } = state.search
  const tenants = state.session.state === 'signedIn' ? (state.session.meta?.tenants ?? []) : []
  const search = (form: HTMLFormElement) => {
    const values = new FormData(form)
    const tenant = String(values.get('tenant') ?? '')
    void actions.searchUsers({ q: String(values.get('q')).trim(), ...(tenant ? { tenant } : {}) })
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    search(event.target as HTMLFormElement)
  }
  return html`
    <div class="page-head"><h1>${t.users}</h1></div>
    <form class="search" role="search" @submit=${submit}>
      <label class="field">
        <span class="hidden">${t.searchLabel}</span>
        <input name="q" type="search" placeholder=${t.searchLabel} .defaultValue=${query.q} autocomplete="off" autocapitalize="off" spellcheck="false" />
      </label>
      ${
        tenants.length > 1
          ? html`<select name="tenant" aria-label=${t.tenant} @change=${({ target }: Event) => search((target as HTMLSelectElement).form!)}>
              <option value="">${t.allTenants}</option>
              ${tenants.map((tenant) => html`<option value=${tenant} ?selected=${tenant === query.tenant}>${tenant}</option>`)}
            </select>`
          : nothing
      }
      <button class="filled">${icons.search}${t.searchUsers}</button>
    </form>
    ${loadableView(
      users,
      scope,
      () => panelBones(8),
      (page) => listView(page, scope),
    )}
  `
}

function listView({ query, cursors, items, next }: UsersPage, scope: Scope): TemplateResult {
  const { actions, t, format } = scope
  const isFirst = cursors.length === 0
  if (items.length === 0 && isFirst) {
    return html`<div class="panel">
      ${query.q === '' ? blankView(icons.users, t.noUsers, t.noUsersHint) : blankView(icons.search, t.noMatches, t.noMatchesHint)}
    </div>`
  }
  return html`<section class="panel" aria-label=${t.users}>
    <div class="table">
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">${t.userId}</th>
            <th scope="col">${t.state}</th>
            <th scope="col" class="wide">${t.boundAt}</th>
            ${isOperator(scope.state) ? html`<th scope="col" class="wide">${t.openid}</th>` : nothing}
            <th scope="col" class="wide">${t.label}</th>
          </tr>
        </thead>
        <tbody>
          ${items.map((item) => rowView(item, scope))}
        </tbody>
      </table>
      ${
        isFirst && next === null
          ? nothing
          : html`<div class="pager">
              <span class="muted">${t.page(format.count(cursors.length + 1))}</span>
              <button type="button" class="quiet small" ?disabled=${isFirst} @click=${actions.previousUsers}>${t.previous}</button>
              <button type="button" class="quiet small" ?disabled=${next === null} @click=${actions.nextUsers}>${t.next}</button>
            </div>`
      }
    </div>
  </section>`
}

function rowView(user: UserLine, scope: Scope): TemplateResult {
  const { state, t } = scope
  const { tenant, account, userId } = user
  return html`<tr>
    <th scope="row" class="wrap">
      <a class="id" href=${toHash({ name: 'user', user: { tenant, account, userId } })}>${userId}</a>
      <div class="muted">${account} · ${tenant}</div>
    </th>
    <td>${stateBadge(user.state, scope)}</td>
    <td class="wide">${user.boundAt === null ? '–' : timeView(user.boundAt, scope)}</td>
    ${isOperator(state) ? html`<td class="wide"><span class="id">${user.openid ?? '–'}</span></td>` : nothing}
    <td class="wide wrap">${user.label ?? html`<span class="muted">${t.none}</span>`}</td>
  </tr>`
}

export function stateBadge(state: 'bound' | 'scanned' | 'unbound', { t }: Scope): TemplateResult {
  const icon = { bound: icons.ok, scanned: icons.clock, unbound: icons.unknown }[state]
  return html`<span class="badge ${state === 'bound' ? 'ok' : ''}">${icon}${t.userStates[state]}</span>`
}
