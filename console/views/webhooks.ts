/** The receivers of webhooks, and the notices that wait or have failed. */
import { html, nothing, type TemplateResult } from 'lit'
import type { NoticeLine, Receiver, Webhooks } from '../../server/console/wire.ts'
import { toHash } from '../route.ts'
import {
  adviceView,
  agoView,
  blankView,
  choiceView,
  eventName,
  loadableView,
  panelBones,
  reasonText,
  timeView,
} from './common.ts'
import { icons } from './icons.ts'
import { isOperator, type Scope } from './scope.ts'
import { failureOf, receiverState } from './webhook-status.ts'

export const webhooksView = (scope: Scope): TemplateResult => html`
  <div class="page-head"><h1>${scope.t.webhooks}</h1></div>
  ${loadableView(
    scope.state.webhooks,
    scope,
    () => html`${panelBones(3)}${panelBones(5)}`,
    (webhooks) => html`${receiversView(webhooks, scope)} ${noticesView(webhooks, scope)}`,
  )}
`

function receiversView({ receivers }: Webhooks, scope: Scope): TemplateResult {
  const { t } = scope
  return html`<section class="panel" aria-labelledby="receivers-heading">
    <div class="panel-head"><h2 id="receivers-heading">${t.receivers}</h2></div>
    ${
      receivers.length === 0
        ? blankView(icons.webhooks, t.noReceiversTitle, t.noReceiversHint)
        : html`<ul class="receivers">${receivers.map((receiver) => receiverView(receiver, scope))}</ul>`
    }
  </section>`
}

const lightIcons = { ok: icons.ok, warn: icons.warn, bad: icons.wrong, unknown: icons.unknown }
const lightClasses = { ok: 'ok', warn: 'warn', bad: 'wrong', unknown: 'unknown' }

function receiverView(receiver: Receiver, scope: Scope): TemplateResult {
  const { actions, t, format } = scope
  const { name, tenant, url, types, status, waiting, failed, failingSince, lastFailure, light } = receiver
  const facts = [
    tenant ?? t.allTenants,
    types?.join(', ') ?? t.allTypes,
    t.waitingCount(format.count(waiting)),
    ...(failed > 0 ? [t.failedCount(format.count(failed))] : []),
  ]
  return html`<li class="light ${lightClasses[light]}">
    ${lightIcons[light]}
    <div class="light-head">
      <h3 class="wrap">${name}</h3>
      <span>${receiverState(receiver, scope)}</span>
    </div>
    <p class="id light-detail">${url}</p>
    <p class="light-detail muted">${facts.join(' · ')}</p>
    ${
      lastFailure
        ? html`<p class="light-detail">
            ${t.lastFailure(failureOf(lastFailure, scope))} · ${agoView(lastFailure.at, scope)}${
              failingSince === null
                ? nothing
                : html` · ${timeView(failingSince, scope, t.failingSince(format.time(failingSince, scope.state.now)))}`
            }
          </p>`
        : nothing
    }
    ${adviceView(receiver.advice, scope)}
    ${
      isOperator(scope.state)
        ? html`<div class="buttons">
            ${
              status === 'on'
                ? nothing
                : html`<button type="button" class="filled small" @click=${() => actions.ask({ name: 'enable', receiver: name })}>${t.enable}</button>`
            }
            <button type="button" class="quiet small" @click=${() => actions.ask({ name: 'test', receiver: name })}>${t.sendTest}</button>
            ${
              failed > 0
                ? html`<button type="button" class="quiet small" @click=${() => actions.ask({ name: 'replay', choice: { receiver: name }, count: failed })}>${t.replay}</button>`
                : nothing
            }
          </div>`
        : nothing
    }
  </li>`
}

function noticesView(webhooks: Webhooks, scope: Scope): TemplateResult {
  const { state, actions, t, format } = scope
  const { failedCount, waitingCount } = webhooks
  // Shows the failed notices first, or the waiting ones if none has failed.
  const kind = state.notices ?? (failedCount === 0 && waitingCount > 0 ? 'waiting' : 'failed')
  const isFailed = kind === 'failed'
  const notices = isFailed ? webhooks.failed : webhooks.waiting
  const count = isFailed ? failedCount : waitingCount
  const name = isFailed ? 'replay' : 'retry'
  return html`<section class="panel" aria-labelledby="notices-heading">
    <div class="panel-head">
      <h2 id="notices-heading">${t.notices}</h2>
      ${
        isOperator(state) && count > 0
          ? html`<button type="button" class="quiet small" @click=${() => actions.ask({ name, choice: {}, count })}>
              ${isFailed ? t.replayAll : t.retryAll}
            </button>`
          : nothing
      }
      ${choiceView(
        t.notices,
        [
          { value: 'failed', content: `${t.failedNotices} ${format.count(failedCount)}` },
          { value: 'waiting', content: `${t.waiting} ${format.count(waitingCount)}` },
        ],
        kind,
        actions.showNotices,
      )}
    </div>
    ${notices.length === 0 ? noNoticesView(isFailed, t) : listView(notices, count, name, scope)}
  </section>`
}

const noNoticesView = (isFailed: boolean, t: Scope['t']) =>
  isFailed ? blankView(icons.ok, t.noFailed, t.noFailedHint) : blankView(icons.ok, t.noWaiting, t.noWaitingHint)

function listView(notices: NoticeLine[], count: number, name: 'replay' | 'retry', scope: Scope): TemplateResult {
  const { t, format } = scope
  return html`
    <ul class="notices">
      ${notices.map((notice) => noticeView(notice, name, scope))}
    </ul>
    ${
      notices.length < count
        ? html`<p class="more muted">${t.firstOf(format.count(notices.length), format.count(count))}</p>`
        : nothing
    }
  `
}

function noticeView(notice: NoticeLine, name: 'replay' | 'retry', scope: Scope): TemplateResult {
  const { state, actions, t, format } = scope
  const { id, uid, tenant, account, userId, receiver, type, reason, at, attempts, nextAt, failure, advice } = notice
  return html`<li>
    <div>
      <p><b>${eventName(type, scope)}</b> ${reasonText(reason, scope)}</p>
      <a class="id" href=${toHash({ name: 'user', user: { tenant, account, userId } })}>${userId}</a>
      <p class="muted" title=${`webhook-id ${uid}`}>${receiver === null ? nothing : `${receiver} · `}${timeView(at, scope)}</p>
    </div>
    <div>
      ${failure === null ? t.notSent : html`<b>${failureOf(failure, scope)}</b>`} ${adviceView(advice, scope)}
      <p class="muted">
        ${t.tries(attempts, format.count(attempts))}${nextAt === null ? nothing : html` · ${timeView(nextAt, scope, t.nextTry(format.ago(nextAt, state.now)))}`}
      </p>
    </div>
    ${
      isOperator(state)
        ? html`<button
            type="button"
            class="quiet small"
            aria-label=${`${t[name]} ${userId}`}
            @click=${() => actions.ask({ name, choice: { id }, count: 1 })}
          >
            ${t[name]}
          </button>`
        : nothing
    }
  </li>`
}
