/** The overview: the present state with a light for each part, and the figures of a period. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Light, Now, Overview, WechatErrorCount } from '../../server/console/wire.ts'
import type { Route } from '../route.ts'
import { ranges } from '../route.ts'
import { adviceView, agoView, choiceView, loadableView, timeView } from './common.ts'
import { bindsView, timeToBindView } from './figures.ts'
import { byTenantView, funnelView } from './funnel.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

export function overviewView(scope: Scope): TemplateResult {
  const { state, t } = scope
  const route = state.route as Extract<Route, { name: 'overview' }>
  return html`
    <div class="page-head">
      <h1>${t.overview}</h1>
      ${tenantView(route, scope)}
      ${choiceView(
        t.range,
        ranges.map((value) => ({ value, content: t[value] })),
        route.range,
        (range) => scope.actions.goTo({ ...route, range }),
      )}
    </div>
    ${loadableView(state.overview, scope, bonesView, (overview) => contentView(overview, scope))}
  `
}

function tenantView(route: Extract<Route, { name: 'overview' }>, { state, actions, t }: Scope): unknown {
  const tenants = state.session.state === 'signedIn' ? (state.session.meta?.tenants ?? []) : []
  if (tenants.length < 2 && route.tenant === undefined) return nothing
  const known = route.tenant === undefined || tenants.includes(route.tenant) ? tenants : [route.tenant, ...tenants]
  const choose = ({ target }: Event) => {
    const tenant = (target as HTMLSelectElement).value
    actions.goTo({ name: 'overview', range: route.range, ...(tenant ? { tenant } : {}) })
  }
  return html`<select aria-label=${t.tenant} @change=${choose}>
    <option value="" ?selected=${route.tenant === undefined}>${t.allTenants}</option>
    ${known.map((tenant) => html`<option value=${tenant} ?selected=${tenant === route.tenant}>${tenant}</option>`)}
  </select>`
}

const bonesView = () => html`
  <div class="panels">
    <div class="panel"><span class="bone bone-line"></span><span class="bone bone-block"></span></div>
    <div class="panel"><span class="bone bone-line"></span><span class="bone bone-block"></span></div>
    <div class="panel"><span class="bone bone-line"></span><span class="bone bone-block"></span></div>
    <div class="panel"><span class="bone bone-line"></span><span class="bone bone-block"></span></div>
  </div>
`

const contentView = (overview: Overview, scope: Scope) => html`
  <div class="panels">
    ${nowView(overview.now, scope)} ${funnelView(overview, scope)} ${bindsView(overview, scope)}
    ${timeToBindView(overview, scope)}
  </div>
  ${byTenantView(overview, scope)}
`

function nowView(now: Now, scope: Scope): TemplateResult {
  const { t, format } = scope
  const { waiting, lastCallback, accessToken, wechatErrors, webhooks } = now
  return html`<section class="panel" aria-labelledby="now-heading">
    <div class="panel-head"><h2 id="now-heading">${t.now}</h2></div>
    <ul class="lights">
      ${lightView(waiting, t.waitingPages, t.pagesOf(format.count(waiting.pages), format.count(waiting.limit)), scope, {
        detail: t.instances(waiting.instances, format.count(waiting.instances)),
      })}
      ${lightView(
        lastCallback,
        t.lastCallback,
        lastCallback.at === null ? t.never : agoView(lastCallback.at, scope),
        scope,
      )}
      ${lightView(accessToken, t.accessToken, tokenText(accessToken, scope), scope, {
        detail: accessToken.fetchedAt === null ? nothing : fetchedView(accessToken.fetchedAt, scope),
      })}
      ${wechatErrorsView(wechatErrors, scope)}
      ${lightView(webhooks, t.webhookLag, lagText(webhooks, scope), scope, { detail: countsOf(webhooks, scope) })}
    </ul>
  </section>`
}

type More = { detail?: unknown; below?: unknown }

const lightIcons = { ok: icons.ok, warn: icons.warn, bad: icons.wrong, unknown: icons.unknown }
const lightClasses = { ok: 'ok', warn: 'warn', bad: 'wrong', unknown: 'unknown' }

/** A light and its value. If the light is not green, also the doctor's explanation. */
function lightView({ light, advice }: Light, name: string, value: unknown, scope: Scope, more: More = {}) {
  const { t } = scope
  const words = { ok: t.lightOk, warn: t.lightWarn, bad: t.lightBad, unknown: t.lightUnknown }
  const { detail = nothing, below = nothing } = more
  return html`<li class="light ${lightClasses[light]}">
    ${lightIcons[light]}<span class="hidden">${words[light]}</span>
    <div class="light-head"><h3>${name}</h3><span>${value}</span></div>
    ${detail === nothing ? nothing : html`<p class="light-detail muted">${detail}</p>`}
    ${adviceView(advice, scope)} ${below}
  </li>`
}

function tokenText({ expiresAt }: Now['accessToken'], scope: Scope): unknown {
  const { state, t, format } = scope
  if (expiresAt === null) return t.noToken
  const left = expiresAt - state.now
  return left > 0
    ? timeView(expiresAt, scope, t.validFor(format.duration(left)))
    : timeView(expiresAt, scope, t.expiredAgo(format.ago(expiresAt, state.now)))
}

const fetchedView = (fetchedAt: number, scope: Scope) =>
  timeView(fetchedAt, scope, scope.t.fetched(scope.format.ago(fetchedAt, scope.state.now)))

function wechatErrorsView(errors: Now['wechatErrors'], scope: Scope): TemplateResult {
  const { t, format } = scope
  const count = errors.codes.reduce((sum, each) => sum + each.count, 0)
  const since = timeView(errors.since, scope, t.sinceTime(format.time(errors.since, scope.state.now)))
  const codeView = ({ errcode, count, lastAt, advice }: WechatErrorCount) => html`<li>
    <p><code>${errcode === 0 ? t.wechatUnreachable : errcode}</code> × ${format.count(count)} · ${agoView(lastAt, scope)}</p>
    ${adviceView(advice, scope)}
  </li>`
  return lightView(
    // Each errcode is shown with its advice.
    errors.codes.length > 0 ? { light: errors.light } : errors,
    t.wechatErrors,
    count === 0 ? t.noErrors : t.errorCount(count, format.count(count)),
    scope,
    {
      detail: since,
      below: errors.codes.length > 0 ? html`<ul class="codes">${errors.codes.map(codeView)}</ul>` : nothing,
    },
  )
}

function lagText({ seconds, receivers }: Now['webhooks'], { t, format }: Scope): string {
  if (receivers === 0 || seconds === null) return t.noReceivers
  return seconds === 0 ? t.noLag : format.duration(seconds * 1_000)
}

function countsOf({ waiting, failed, off }: Now['webhooks'], { t, format }: Scope): unknown {
  const counts: [number, (text: string) => string][] = [
    [waiting, t.waitingCount],
    [failed, t.failedCount],
    [off, t.offCount],
  ]
  const texts = counts.filter(([count]) => count > 0).map(([count, text]) => text(format.count(count)))
  return texts.length > 0 ? html`<a href="#/webhooks">${texts.join(' · ')}</a>` : nothing
}
