/** Draws a chart as SVG. Each series is a line, and the sizes have equal distances on the horizontal axis. */

type Series = { name: string; values: number[] }

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 360, 64, 190, 48, 48]
const COLOURS = ['#1f6f43', '#2f6fb0', '#b0562f', '#6b4fa0', '#8a7a1f', '#a02f5c']

export function toChart(title: string, unit: string, sizes: number[], series: Series[]): string {
  const most = Math.max(...series.flatMap(({ values }) => values)) * 1.15
  const x = (i: number) => LEFT + ((WIDTH - LEFT - RIGHT) * i) / (sizes.length - 1)
  const y = (value: number) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / most
  const text = (at: [number, number], words: string, more = '') =>
    `<text x="${at[0]}" y="${at[1]}" ${more}>${words}</text>`
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = (most * part) / 1.15
    return `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#ddd"/>${text([LEFT - 8, y(value) + 4], value.toPrecision(2), 'text-anchor="end"')}`
  })
  // Moves labels that overlap apart.
  let last = Number.NEGATIVE_INFINITY
  const labels = new Map(
    [...series]
      .sort((a, b) => b.values.at(-1)! - a.values.at(-1)!)
      .map(({ name, values }) => {
        last = Math.max(y(values.at(-1)!) + 4, last + 16)
        return [name, last]
      }),
  )
  const lines = series.map(({ name, values }, i) => {
    const colour = COLOURS[i % COLOURS.length]
    const dots = values.map((value, j) => `<circle cx="${x(j)}" cy="${y(value)}" r="3.5" fill="${colour}"/>`).join('')
    const path = values.map((value, j) => `${j === 0 ? 'M' : 'L'}${x(j)} ${y(value)}`).join('')
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}${text([WIDTH - RIGHT + 12, labels.get(name)!], name, `fill="${colour}"`)}`
  })
  const names = sizes.map((size, i) =>
    text([x(i), HEIGHT - BOTTOM + 22], size.toLocaleString('en'), 'text-anchor="middle"'),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text([LEFT, 26], title, 'font-size="15"'),
    text([LEFT - 8, TOP - 6], unit, 'text-anchor="end"'),
    ...grid,
    ...lines,
    ...names,
    text([x((sizes.length - 1) / 2), HEIGHT - 8], 'bindings in the store', 'text-anchor="middle"'),
    '</svg>\n',
  ].join('\n')
}
