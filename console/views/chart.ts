/**
 * `<console-chart>`: a chart with its legend, the values under the pointer, and a table of all values. uPlot draws the lines and bars.
 * The arrow keys move the pointer of a focused chart.
 */
import { html, LitElement, type PropertyValues, svg, type TemplateResult } from 'lit'
import type uPlot from 'uplot'

/** `line` needs times as `x`, in Unix seconds. `bars` has one bar for each entry of `names`. */
export type ChartFigure = {
  /** The name of the chart for screen readers. */
  label: string
  kind: 'line' | 'bars'
  x: readonly number[]
  series: readonly { label: string; values: readonly number[] }[]
  /** The text of a point in the table and beside the pointer. */
  names: readonly string[]
  /** The short text of a point on the axis. */
  axisName(x: number): string
  value(value: number): string
  /** Shown while no point is selected. */
  summary: readonly string[]
  /** The heading of the table's first column, and the text of the button that shows the table. */
  xLabel: string
  tableLabel: string
}

const HEIGHT = 220
// The axis of counts has whole numbers as steps.
const COUNT_STEPS = [1, 2, 5]
  .flatMap((step) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((power) => step * 10 ** power))
  .sort((a, b) => a - b)

export class ConsoleChart extends LitElement {
  static override properties = {
    figure: { attribute: false },
    selected: { state: true },
    isUndrawn: { state: true },
  }

  declare figure: ChartFigure
  declare private selected: number | null
  /** The code of uPlot could not be loaded. The table is shown instead of the chart. */
  declare private isUndrawn: boolean
  #plot: uPlot | undefined
  readonly #resizes = new ResizeObserver(() => this.#resize())
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)')
  readonly #redraw = () => this.#plot?.redraw(false)

  constructor() {
    super()
    this.selected = null
    this.isUndrawn = false
  }

  /** The styles of the page apply: the chart has no shadow root. */
  protected override createRenderRoot() {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#resizes.observe(this)
    this.#scheme.addEventListener('change', this.#redraw)
    if (this.hasUpdated) void this.#draw()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resizes.disconnect()
    this.#scheme.removeEventListener('change', this.#redraw)
    this.#plot?.destroy()
    this.#plot = undefined
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('figure')) void this.#draw()
  }

  protected override render(): TemplateResult {
    const { label, series, names, x, value, summary, xLabel, tableLabel } = this.figure
    const index = this.selected
    const texts =
      index === null
        ? summary
        : [names[index], ...series.map((each) => `${each.label} ${value(each.values[index] ?? 0)}`)]
    return html`
      <div class="legend">
        ${series.map((each, index) => legendView(each.label, index, series.length === 1))}
        <output>${texts.map((text) => html`<span>${text}</span>`)}</output>
      </div>
       <div class="plot" role="img" ?hidden=${this.isUndrawn} tabindex="0" aria-label=${[label, ...summary].join(', ')} @keydown=${this.#onKey}></div>
      <details class="behind" ?open=${this.isUndrawn}>
        <summary>${tableLabel}</summary>
        <div class="table" tabindex="0" role="region" aria-label=${label}>
          <table>
            <thead>
              <tr>
                <th scope="col">${xLabel}</th>
                ${series.map((each) => html`<th scope="col" class="number">${each.label}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${x.map(
                (_, row) => html`<tr>
                  <th scope="row">${names[row]}</th>
                  ${series.map((each) => html`<td class="number">${value(each.values[row] ?? 0)}</td>`)}
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>
    `
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const plot = this.#plot
    if (!step || !plot) return
    event.preventDefault()
    const last = this.figure.x.length - 1
    const next = this.selected === null ? (step > 0 ? 0 : last) : this.selected + step
    const index = Math.min(Math.max(next, 0), last)
    plot.setCursor({ left: plot.valToPos(this.figure.x[index] ?? 0, 'x'), top: 0 })
  }

  #resize(): void {
    const width = this.clientWidth
    if (width > 0) this.#plot?.setSize({ width, height: HEIGHT })
  }

  /** uPlot is loaded with the first chart. */
  async #draw(): Promise<void> {
    const { figure } = this
    try {
      const { default: Plot } = await import('uplot')
      const host = this.querySelector<HTMLElement>('.plot')
      // A newer figure is being drawn, or the chart was removed from the page.
      if (!host || figure !== this.figure || !this.isConnected) return
      this.#plot?.destroy()
      this.selected = null
      const { x, series } = figure
      this.#plot = new Plot(this.#options(Plot, host), [[...x], ...series.map(({ values }) => [...values])], host)
    } catch {
      this.isUndrawn = true
    }
  }

  #options(Plot: typeof uPlot, host: HTMLElement): uPlot.Options {
    const { kind, series, axisName, value, names } = this.figure
    const isBars = kind === 'bars'
    const styleOf = (name: string) => getComputedStyle(this.querySelector(name) ?? host)
    const colour = (index: number) => () => styleOf(`.ink-${index + 1}`).color
    const axis = (): uPlot.Axis => ({
      stroke: () => styleOf('.plot').color,
      grid: { stroke: () => styleOf('.plot').borderTopColor, width: 1 },
      ticks: { show: false },
      font: `12px ${styleOf('.plot').fontFamily}`,
    })
    return {
      width: this.clientWidth || 320,
      height: HEIGHT,
      padding: [12, 16, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { size: 7 } },
      scales: {
        x: isBars ? { time: false, range: () => [-0.6, names.length - 0.4] } : { time: true },
        y: { range: (_, __, max) => [0, Math.max(max * 1.1, 4)] },
      },
      axes: [
        {
          ...axis(),
          grid: { show: false },
          ...(isBars ? { splits: ({ width }) => spread(names.length, width) } : { space: 72 }),
          size: 32,
          values: (_, splits) => splits.map(axisName),
        },
        {
          ...axis(),
          size: (_, values) => 16 + 8 * Math.max(0, ...(values ?? []).map((text) => text.length)),
          incrs: COUNT_STEPS,
          values: (_, splits) => splits.map(value),
        },
      ],
      series: [
        {},
        ...(series.map((_, index) => ({
          stroke: colour(index),
          fill: isBars ? colour(index) : undefined,
          width: isBars ? 0 : 2,
          ...(index > 0 ? { dash: [6, 4] } : {}),
          ...(isBars ? { paths: Plot.paths.bars!({ size: [0.7, 56], radius: 0.1 }) } : {}),
          points: { show: false },
        })) as uPlot.Series[]),
      ],
      hooks: {
        setCursor: [
          ({ cursor }) => {
            this.selected = cursor.idx ?? null
          },
        ],
      },
    }
  }
}

/** The bars that get a text on the axis: every second bar if there is no room for all texts. */
const spread = (count: number, width: number): number[] => {
  const step = width / count < 52 ? 2 : 1
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step)
}

/** The chart reads the colour of a series from its legend, so the legend exists even for a single series. */
const legendView = (
  label: string,
  index: number,
  isHidden: boolean,
) => html`<span class=${`ink-${index + 1}`} ?hidden=${isHidden}>
  <svg viewBox="0 0 24 8" aria-hidden="true">${svg`<path d="M0 4h24" />`}</svg><b>${label}</b>
</span>`
