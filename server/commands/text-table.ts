/** Lays out a table for a terminal: a Chinese character takes two cells, and the columns fit the width. Pure. */
import stringWidth from 'string-width'

export type Column<Row> = {
  title: string
  text: (row: Row) => string
  /** If the table is too wide, the column with the highest rank is hidden first. A column with rank 0 is never hidden. */
  rank: number
  /** The column may be truncated to this number of cells. Without it, the column is never truncated. */
  minWidth?: number
}

const GAP = '  '

/** `hidden`: the titles of the columns that did not fit. Without a `width` no column is truncated or hidden. */
export function layOut<Row>(
  columns: Column<Row>[],
  rows: Row[],
  width: number | undefined,
): { lines: string[]; hidden: string[] } {
  const cells = columns.map((column) => ({
    ...column,
    texts: [column.title, ...rows.map((row) => toVisible(column.text(row)))],
  }))
  const measured = cells.map((cell) => ({ ...cell, widest: Math.max(...cell.texts.map((text) => stringWidth(text))) }))
  let shown = measured
  while (width !== undefined && leastWidth(shown) > width) {
    const last = shown.reduce((a, b) => (b.rank >= a.rank ? b : a))
    if (last.rank === 0) break
    shown = shown.filter((each) => each !== last)
  }
  const widths = shrink(shown, width)
  const lines = Array.from({ length: rows.length + 1 }, (_, row) =>
    shown
      .map(({ texts }, i) => fit(texts[row]!, widths[i]!))
      .join(GAP)
      .trimEnd(),
  )
  return { lines, hidden: measured.filter((each) => !shown.includes(each)).map(({ title }) => title) }
}

type Measured = { widest: number; minWidth?: number }

const least = ({ widest, minWidth = widest }: Measured) => Math.min(widest, minWidth)

const total = (widths: number[]) => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1)

const leastWidth = (columns: Measured[]) => total(columns.map(least))

/** Removes cells from the widest column that may be truncated, until the table fits. */
function shrink(columns: Measured[], width = Infinity): number[] {
  const widths = columns.map(({ widest }) => widest)
  while (total(widths) > width) {
    const spare = columns.map((column, i) => (widths[i]! > least(column) ? widths[i]! : 0))
    const widest = Math.max(...spare)
    if (widest === 0) break
    widths[spare.indexOf(widest)]!--
  }
  return widths
}

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Pads the text to the width, or cuts it off. */
export function fit(text: string, width: number): string {
  const own = stringWidth(text)
  if (own <= width) return text + ' '.repeat(width - own)
  let kept = ''
  let used = 1
  for (const { segment } of characters.segment(text)) {
    used += stringWidth(segment)
    if (used > width) break
    kept += segment
  }
  return `${kept}…${' '.repeat(Math.max(0, width - stringWidth(kept) - 1))}`
}

/**
 * Ids and labels come from outside: a control character in them could move the cursor, and a bidirectional character could
 * reorder the text.
 */
export const toVisible = (text: string) =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
