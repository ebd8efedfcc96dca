/** One user: the binding, the actions of an operator, the history, and the QR codes. */
import { html, nothing, type TemplateResult } from 'lit'
import type {
  BindingView,
  HistoryEntry,
  NoticeOfUser,
  TicketView,
  UserName,
  UserView,
} from '../../server/console/wire.ts'
import { type Route, toHash } from '../route.ts'
import { agoView, eventName, loadableView, panelBones, reasonText, timeView } from './common.ts'
import { icons } from './icons.ts'
import { isOperator, type Scope } from './scope.ts'
import { stateBadge } from './users.ts'

export function userView(scope: Scope): TemplateResult {
  const { state, t } = scope
  const { user } = state.route as Extract<Route, { name: 'user' }>
  return html`
    <a class="back" href=${toHash({ name: 'users' })}>${icons.back}${t.backToUsers}</a>
    <div class="page-head user-head">
      <h1 class="wrap">${user.userId}</h1>
      <p class="muted">${user.account} · ${user.tenant}</p>
    </div>
    ${loadableView(
      state.user,
      scope,
      () => html`${panelBones(4)}${panelBones(4)}`,
      (view) => contentView(view, user, scope),
    )}
  `
}

const contentView = (view: UserView, user: UserName, scope: Scope) => html`
  <section class="panel" aria-labelledby="binding-heading">
    <div class="panel-head">
      <h2 id="binding-heading">${scope.t.binding} ${stateBadge(view.state, scope)}</h2>
      ${isOperator(scope.state) ? buttonsView(view, user, scope) : nothing}
    </div>
    ${factsView(view, scope)}
  </section>
  <div class="panels">
    ${historyView(view, scope)}
    <div class="stack">${ticketsView(view.tickets, scope)} ${noticesView(view.notices, scope)}</div>
  </div>
`

function buttonsView({ binding }: UserView, user: UserName, { state, actions, t }: Scope): TemplateResult {
  const ask = (name: 'unbind' | 'erase' | 'export' | 'reveal') => () => actions.ask({ name, user })
  return html`<div class="buttons">
    ${
      binding && !state.revealed
        ? html`<button type="button" class="quiet small" @click=${ask('reveal')}>${icons.eye}${t.reveal}</button>`
        : nothing
    }
    <button type="button" class="quiet small" @click=${ask('export')}>${icons.file}${t.exportUser}</button>
    ${
      binding
        ? html`<button type="button" class="quiet small danger" @click=${ask('unbind')}>${t.unbind}</button>`
        : nothing
    }
    <button type="button" class="quiet small danger" @click=${ask('erase')}>${t.erase}</button>
  </div>`
}

function factsView(view: UserView, scope: Scope): TemplateResult {
  const { t } = scope
  return html`<dl class="facts">
    ${view.binding ? bindingFacts(view.binding, scope) : nothing}
    ${
      !view.binding && view.reason !== null
        ? html`<dt>${t.notBoundTitle}</dt><dd>${t.notBoundSince(reasonText(view.reason, scope))}</dd>`
        : nothing
    }
    <dt>${t.bindUser}</dt>
    <dd class="id">${view.bindUser}</dd>
    <dt>${t.versionOf}</dt>
    <dd>${view.version}</dd>
  </dl>`
}

function bindingFacts(binding: BindingView, scope: Scope): TemplateResult {
  const { state, t } = scope
  const openid = state.revealed?.openid ?? binding.openid
  const unionid = state.revealed?.unionid ?? binding.unionid
  const hiddenView = html`<span class="muted">${t.hidden}</span>`
  return html`
    <dt>${t.boundAt}</dt>
    <dd>${timeView(binding.boundAt, scope)} <span class="muted">${agoView(binding.boundAt, scope)}</span></dd>
    <dt>${t.openid}</dt>
    <dd>${openid === null ? hiddenView : html`<span class="id">${openid}</span>`}</dd>
    <dt>${t.unionid}</dt>
    <dd>${unionid === null ? (binding.hasUnionid ? html`${t.known} · ${hiddenView}` : t.none) : html`<span class="id">${unionid}</span>`}</dd>
    <dt>${t.following}</dt>
    <dd>${binding.subscribed ? t.yes : t.no}</dd>
    <dt>${t.appId}</dt>
    <dd class="id">${binding.appId}</dd>
    ${binding.label === null ? nothing : html`<dt>${t.label}</dt><dd>${binding.label}</dd>`}
  `
}

const historyIcons = {
  bound: icons.link,
  unbound: icons.close,
  updated: icons.pencil,
  revealed: icons.eye,
  exported: icons.file,
}

function historyView({ history, historyIsCut }: UserView, scope: Scope): TemplateResult {
  const { t } = scope
  const entryView = ({ type, reason, at, by }: HistoryEntry) => html`<li>
    ${historyIcons[type]}
    <div>
      <b>${eventName(type, scope)}</b>
      ${reason === null ? nothing : html`<span>${reasonText(reason, scope)}</span>`}
      ${by === null ? nothing : html`<span>${t.byOperator(by)}</span>`}
      <p class="muted">${timeView(at, scope)} · ${agoView(at, scope)}</p>
    </div>
  </li>`
  return html`<section class="panel" aria-labelledby="history-heading">
    <div class="panel-head"><h2 id="history-heading">${t.history}</h2></div>
    ${
      history.length === 0
        ? html`<p class="muted">${t.historyEmpty}</p>`
        : html`<ol class="timeline">${history.map(entryView)}</ol>`
    }
    ${historyIsCut ? html`<p class="muted">${t.historyIsCut}</p>` : nothing}
  </section>`
}

function ticketsView(tickets: TicketView[], scope: Scope): TemplateResult {
  const { t } = scope
  const rowView = ({ state, createdAt, expiresAt }: TicketView) => html`<tr>
    <td>${t.ticketStates[state]}</td>
    <td>${timeView(createdAt, scope)}</td>
    <td class="wide">${timeView(expiresAt, scope)}</td>
  </tr>`
  return html`<section class="panel" aria-labelledby="tickets-heading">
    <div class="panel-head"><h2 id="tickets-heading">${t.tickets}</h2></div>
    ${
      tickets.length === 0
        ? html`<p class="muted">${t.ticketsEmpty}</p>`
        : html`<div class="table">
            <table>
              <thead>
                <tr><th scope="col">${t.state}</th><th scope="col">${t.created}</th><th scope="col" class="wide">${t.expires}</th></tr>
              </thead>
              <tbody>${tickets.map(rowView)}</tbody>
            </table>
          </div>`
    }
  </section>`
}

function noticesView(notices: NoticeOfUser[], scope: Scope): unknown {
  const { t, format } = scope
  if (notices.length === 0) return nothing
  const rowView = ({ receiver, state, attempts, nextAt }: NoticeOfUser) => html`<tr>
    <td class="wrap">${receiver ?? '–'}</td>
    <td>
      ${state === 'failed' ? t.failedNotices : t.waiting}
      <div class="muted">
        ${t.tries(attempts, format.count(attempts))}${nextAt === null ? nothing : html` · ${timeView(nextAt, scope, t.nextTry(format.ago(nextAt, scope.state.now)))}`}
      </div>
    </td>
  </tr>`
  return html`<section class="panel" aria-labelledby="notices-heading">
    <div class="panel-head">
      <h2 id="notices-heading">${t.noticesOfUser}</h2>
      <a href="#/webhooks">${t.webhooks}</a>
    </div>
    <div class="table">
      <table>
        <thead><tr><th scope="col">${t.receiver}</th><th scope="col">${t.state}</th></tr></thead>
        <tbody>${notices.map(rowView)}</tbody>
      </table>
    </div>
  </section>`
}
