/** The doctor: its last report, and a button that runs the checks. */
import { html, nothing, type TemplateResult } from 'lit'
import type { DoctorReport, Finding } from '../../server/console/wire.ts'
import { wordsOf } from '../messages.ts'
import { blankView, loadableView, panelBones, timeView } from './common.ts'
import { icons } from './icons.ts'
import { isOperator, type Scope } from './scope.ts'

export function doctorView(scope: Scope): TemplateResult {
  const { state, actions, t } = scope
  return html`
    <div class="page-head">
      <h1>${t.doctor}</h1>
      ${
        isOperator(state)
          ? html`<button type="button" class="filled" ?disabled=${state.isDoctorRunning} @click=${actions.runDoctor}>
              ${state.isDoctorRunning ? t.doctorRunning : t.runDoctor}
            </button>`
          : nothing
      }
    </div>
    <div aria-busy=${state.isDoctorRunning}>
      ${loadableView(
        state.doctor,
        scope,
        () => panelBones(8),
        (report) => reportView(report, scope),
      )}
    </div>
  `
}

const levels = ['wrong', 'warn', 'ok'] as const

function reportView({ at, by, findings }: DoctorReport, scope: Scope): TemplateResult {
  const { state, t, format } = scope
  if (at === null) {
    const hint = isOperator(state) ? t.doctorLead : t.doctorNeverViewer
    return html`<div class="panel">${blankView(icons.doctor, t.doctorNever, hint)}</div>`
  }
  const ran = timeView(at, scope)
  const counts = { wrong: t.wrongCount, warn: t.warnCount, ok: t.okCount }
  const summary = levels.flatMap((level) => {
    const count = findings.filter((finding) => finding.level === level).length
    return count > 0 ? [counts[level](count, format.count(count))] : []
  })
  const sorted = levels.flatMap((level) => findings.filter((finding) => finding.level === level))
  return html`<section class="panel" aria-labelledby="report-heading">
    <div class="panel-head">
      <h2 id="report-heading" class="counts">${summary.map((text) => html`<span>${text}</span>`)}</h2>
      <p class="muted">${ran}${by === null ? nothing : html` · ${by}`}</p>
    </div>
    <ul class="lights">${sorted.map((finding) => findingView(finding, scope))}</ul>
  </section>`
}

const findingIcons = { ok: icons.ok, warn: icons.warn, wrong: icons.wrong }

function findingView(finding: Finding, { state, t, format }: Scope): TemplateResult {
  const { id, level, fix, addresses = [] } = finding
  const { lang } = state.preferences
  return html`<li class="light ${level}">
    ${findingIcons[level]}<span class="hidden">${t[level]}</span>
    <div class="light-head">
      <p lang=${lang === 'zh-TW' ? 'zh-CN' : nothing}>${wordsOf(finding, lang)}</p>
      <code class="muted wide">${id}</code>
    </div>
    ${fix ? html`<p class="light-detail muted" lang=${lang === 'zh-TW' ? 'zh-CN' : nothing}>${wordsOf(fix, lang)}</p>` : nothing}
    ${
      addresses.length > 0
        ? html`<details class="behind light-detail">
            <summary>${t.addresses(format.count(addresses.length))}</summary>
            <p class="id">${addresses.join(' ')}</p>
          </details>`
        : nothing
    }
  </li>`
}
