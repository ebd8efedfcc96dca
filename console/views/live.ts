/** The live events, the newest first. */
import { html, nothing, type TemplateResult } from 'lit'
import { repeat } from 'lit/directives/repeat.js'
import type { LiveEvent } from '../../server/console/wire.ts'
import type { Live } from '../page-state.ts'
import { toHash } from '../route.ts'
import { blankView, eventName, failureText, panelBones, reasonText, timeView } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

export function liveView(scope: Scope): TemplateResult {
  const { state, actions, t, format } = scope
  const { live } = state
  const { isPaused, events, held } = live
  const resume = held.length > 0 ? t.resume(format.count(held.length)) : t.resumeNone
  return html`
    <div class="page-head">
      <h1>${t.live}</h1>
      <div class="buttons">
        <button type="button" class="quiet" ?disabled=${events.length === 0} @click=${actions.clearLive}>${t.clear}</button>
        <button type="button" class="quiet" aria-pressed=${isPaused} @click=${() => actions.pauseLive(!isPaused)}>
          ${isPaused ? resume : t.pause}
        </button>
      </div>
    </div>
    <div role="alert">
      ${
        live.state === 'lost'
          ? html`<div class="note wrong">
              ${icons.wrong}
              <p title=${live.failure?.detail ?? nothing}>
                ${live.failure ? failureText(live.failure, scope) : nothing} ${t.liveLost}
              </p>
            </div>`
          : nothing
      }
    </div>
    ${listView(live, scope)}
  `
}

function listView({ state, events }: Live, scope: Scope): TemplateResult {
  const { t } = scope
  if (events.length === 0 && state === 'connecting') {
    return html`<div aria-busy="true"><p class="hidden" role="status">${t.liveConnecting}</p>${panelBones(8)}</div>`
  }
  return html`<section class="panel" aria-label=${t.live}>
    ${
      events.length === 0
        ? blankView(icons.live, t.liveEmpty, state === 'lost' ? undefined : t.liveOpen)
        : html`<div role="log" aria-label=${t.live}><ol class="feed">
            ${repeat(
              events.toReversed(),
              ({ id }) => id,
              (event) => eventView(event, scope),
            )}
          </ol></div>`
    }
  </section>`
}

const eventIcons = { 'binding.bound': icons.link, 'binding.unbound': icons.close, 'binding.updated': icons.pencil }

function eventView({ type, reason, tenant, account, userId, at }: LiveEvent, scope: Scope): TemplateResult {
  return html`<li>
    ${timeView(at, scope, scope.format.clockSeconds(at))} ${eventIcons[type]}
    <div class="wrap">
      <b>${eventName(type, scope)}</b> <span>${reasonText(reason, scope)}</span>
      <p>
        <a class="id" href=${toHash({ name: 'user', user: { tenant, account, userId } })}>${userId}</a>
        <span class="muted">${account} · ${tenant}</span>
      </p>
    </div>
  </li>`
}
