/** The charts of the overview: binds and unbinds over time, and the time to bind. */
import { html, type TemplateResult } from 'lit'
import { guard } from 'lit/directives/guard.js'
import type { Overview, TimeToBind } from '../../server/console/wire.ts'
import { startOfDay, toBuckets } from '../buckets.ts'
import { type ChartFigure, ConsoleChart } from './chart.ts'
import { blankView } from './common.ts'
import { icons } from './icons.ts'
import type { Scope } from './scope.ts'

if (!customElements.get('console-chart')) customElements.define('console-chart', ConsoleChart)

export function bindsView(overview: Overview, scope: Scope): TemplateResult {
  const { t } = scope
  const isBlank = overview.series.every(({ bound, unbound }) => bound === 0 && unbound === 0)
  return html`<section class="panel" aria-labelledby="binds-heading">
    <div class="panel-head"><h2 id="binds-heading">${t.bindsOverTime}</h2></div>
    ${isBlank ? blankView(icons.overview, t.noBinds) : chartView([overview.range, overview.series], scope, () => toBindsFigure(overview, scope))}
  </section>`
}

/** Redraws the chart only if the figures, the language or the theme have changed, so a refresh without news keeps the selected point. */
const chartView = (figures: object, { state }: Scope, figure: () => ChartFigure) => {
  const { lang, theme } = state.preferences
  return html`<console-chart .figure=${guard([JSON.stringify(figures), lang, theme], figure)}></console-chart>`
}

function toBindsFigure(overview: Overview, { t, format }: Scope): ChartFigure {
  const buckets = toBuckets(overview, startOfDay)
  const isHours = overview.range === '24h'
  const text = isHours ? format.clock : format.day
  const sum = (name: 'binds' | 'unbinds') => buckets.reduce((total, bucket) => total + bucket[name], 0)
  return {
    label: t.bindsOverTime,
    kind: 'line',
    x: buckets.map(({ at }) => at / 1_000),
    series: [
      { label: t.binds, values: buckets.map(({ binds }) => binds) },
      { label: t.unbinds, values: buckets.map(({ unbinds }) => unbinds) },
    ],
    names: buckets.map(({ at, isPart }) => (isPart ? t.partOfDay(text(at)) : text(at))),
    axisName: (x) => text(x * 1_000),
    value: format.count,
    summary: [t.total(t.binds, format.count(sum('binds'))), t.total(t.unbinds, format.count(sum('unbinds')))],
    xLabel: isHours ? t.time : t.day,
    tableLabel: t.showTable,
  }
}

export function timeToBindView(overview: Overview, scope: Scope): TemplateResult {
  const { t } = scope
  const { timeToBind } = overview
  return html`<section class="panel" aria-labelledby="time-heading">
    <div class="panel-head"><h2 id="time-heading">${t.timeToBind}</h2></div>
    ${
      timeToBind.count === 0
        ? blankView(icons.clock, t.noTimes)
        : chartView(timeToBind, scope, () => toTimesFigure(timeToBind, scope))
    }
  </section>`
}

function toTimesFigure({ buckets, p50, p90, p99 }: TimeToBind, { t, format }: Scope): ChartFigure {
  const seconds = (value: number) => format.duration(value * 1_000)
  const names = buckets.map(({ from, upTo }) => (upTo === null ? t.longer(seconds(from)) : format.seconds(from, upTo)))
  const quantiles: [number, number | null][] = [
    [0.5, p50],
    [0.9, p90],
    [0.99, p99],
  ]
  return {
    label: t.timeToBind,
    kind: 'bars',
    x: buckets.map((_, index) => index),
    series: [{ label: t.bindings, values: buckets.map(({ count }) => count) }],
    names,
    axisName: (x) => bucketName(buckets[x], format),
    value: format.count,
    summary: quantiles.flatMap(([share, time]) =>
      time === null ? [] : [t.quantile(format.share(share), seconds(time))],
    ),
    xLabel: t.seconds,
    tableLabel: t.showTable,
  }
}

const bucketName = (bucket: TimeToBind['buckets'][number] | undefined, { narrow }: Scope['format']): string => {
  if (!bucket) return ''
  return bucket.upTo === null ? `≥${narrow(bucket.from)}` : `<${narrow(bucket.upTo)}`
}
