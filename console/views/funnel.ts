/** The funnel from QR code to binding, and the figures of each tenant. */
import { html, nothing, svg, type TemplateResult } from 'lit'
import type { Funnel, Overview } from '../../server/console/wire.ts'
import { type Route, toHash } from '../route.ts'
import { blankView } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

type Step = 'shown' | 'scanned' | 'confirmed' | 'bound'

/** With `CONFIRM=off` there is no step `confirmed`. */
function stepsOf({ session }: Scope['state']): Step[] {
  const confirms = session.state !== 'signedIn' || session.meta?.confirm !== 'off'
  return confirms ? ['shown', 'scanned', 'confirmed', 'bound'] : ['shown', 'scanned', 'bound']
}

export function funnelView({ funnel, previous }: Overview, scope: Scope): TemplateResult {
  const { state, t, format } = scope
  const most = Math.max(funnel.shown, funnel.scanned, funnel.bound)
  const stepView = (step: Step) => {
    const part = most === 0 ? 0 : funnel[step] / most
    const share = step !== 'shown' && funnel.shown > 0 ? t.ofShown(format.share(funnel[step] / funnel.shown)) : ''
    const before = t.before(format.count(previous[step]))
    return html`<li title=${`${t[step]}: ${format.count(funnel[step])}. ${before}`}>
      <span>${t[step]}</span>
      <span><b>${format.count(funnel[step])}</b></span>
      <svg aria-hidden="true">${svg`<rect class="rest" width="100%" height="100%" /><rect width=${`${part * 100}%`} height="100%" />`}</svg>
      <small class="muted">${share}</small>
      <small class="muted">${before}</small>
    </li>`
  }
  return html`<section class="panel funnel" aria-labelledby="funnel-heading">
    <div class="panel-head"><h2 id="funnel-heading">${t.funnel}</h2></div>
    ${most === 0 ? blankView(icons.overview, t.noFunnel) : html`<ol class="bars">${stepsOf(state).map(stepView)}</ol>`}
  </section>`
}

const columns = ['shown', 'scanned', 'confirmed', 'bound', 'unbound'] as const satisfies (keyof Funnel)[]

/** Without several tenants there is nothing to compare. */
export function byTenantView({ byTenant }: Overview, { state, t, format }: Scope): unknown {
  const route = state.route as Extract<Route, { name: 'overview' }>
  if (byTenant.length < 2) return nothing
  const shown = columns.filter((column) => column !== 'confirmed' || stepsOf(state).includes(column))
  const isWide = (column: string) => (column === 'scanned' || column === 'confirmed' ? 'wide' : '')
  return html`<section class="panel" aria-labelledby="tenants-heading">
    <div class="panel-head"><h2 id="tenants-heading">${t.byTenant}</h2></div>
    <div class="table">
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">${t.tenant}</th>
            ${shown.map((column) => html`<th scope="col" class="number ${isWide(column)}">${t[column]}</th>`)}
            <th scope="col" class="number wide">${t.rate}</th>
          </tr>
        </thead>
        <tbody>
          ${byTenant.map(
            (row) => html`<tr>
              <th scope="row" class="wrap">
                <a href=${toHash({ name: 'overview', range: route.range, tenant: row.tenant })}>${row.tenant}</a>
              </th>
              ${shown.map((column) => html`<td class="number ${isWide(column)}">${format.count(row[column])}</td>`)}
              <td class="number wide">${row.shown > 0 ? format.share(row.bound / row.shown) : '–'}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}
