/**
 * Reads and writes the times in arguments, files and tables. A date without a time zone is UTC, like the times in the log. Pure.
 */

// Other lengths are refused: 4 to 8 digits could be a year or a date without hyphens, 13 digits could be milliseconds.
const SECONDS = /^(?:0|\d{9,11})$/

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/

/** Reads Unix seconds or a date. Returns undefined for any other text, and for a day that does not exist. */
export function toUnixSeconds(text: string): number | undefined {
  if (SECONDS.test(text)) return Number(text)
  const [, year, month, day, hour = '00', minute = '00', second = '00', zone = 'Z'] = DATE.exec(text) ?? []
  if (year === undefined) return undefined
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`)
  // `Date` reads 30 February as 2 March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  return Number.isNaN(time) || Number(day) > lastDay || time < 0 ? undefined : Math.floor(time / 1000)
}

/** The text of a time in a table. */
export const toText = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
