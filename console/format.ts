/** Formats numbers and times for the reader's language. Times are in the reader's time zone. */
import type { Language } from './preferences.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export type Format = ReturnType<typeof createFormat>

/** `timeZone`: if it is undefined, the time zone of the browser. */
export function createFormat(lang: Language, timeZone?: string) {
  const zone = timeZone === undefined ? {} : { timeZone }
  const counts = new Intl.NumberFormat(lang)
  const shares = new Intl.NumberFormat(lang, { style: 'percent', maximumFractionDigits: 1 })
  const times = new Intl.DateTimeFormat(lang, {
    ...zone,
    ...SHORT,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const dates = new Intl.DateTimeFormat(lang, { ...zone, year: 'numeric', month: 'short', day: 'numeric' })
  const days = new Intl.DateTimeFormat(lang, { ...zone, ...SHORT })
  const clocks = new Intl.DateTimeFormat(lang, { ...zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const seconds = new Intl.DateTimeFormat(lang, {
    ...zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  const exact = new Intl.DateTimeFormat(lang, {
    ...zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'shortOffset',
    hourCycle: 'h23',
  })
  const unit = (name: string, maximumFractionDigits = 0) =>
    new Intl.NumberFormat(lang, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits })
  const units = {
    ms: unit('millisecond'),
    s: unit('second', 1),
    wholeSeconds: unit('second'),
    min: unit('minute'),
    h: unit('hour'),
    d: unit('day'),
  }
  const narrowUnit = (name: string) => new Intl.NumberFormat(lang, { style: 'unit', unit: name, unitDisplay: 'narrow' })
  const narrow = { s: narrowUnit('second'), min: narrowUnit('minute') }
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'always', style: lang === 'en' ? 'long' : 'short' })
  /** Chinese text has a space between a number and its unit. */
  const spaced = (text: string) => text.replace(/(\d)(\p{Script=Han})/gu, '$1 $2')

  return {
    count: (value: number) => counts.format(value),
    /** A number from 0 to 1 as a percentage. */
    share: (value: number) => shares.format(value),
    /** The time of the day, and the date if it is not the day of `now`. */
    time: (ms: number, now: number) =>
      days.format(ms) === days.format(now) && Math.abs(now - ms) < 2 * DAY
        ? clocks.format(ms)
        : now - ms > 300 * DAY
          ? dates.format(ms)
          : times.format(ms),
    /** The exact time, with milliseconds and the offset from UTC. */
    exact: (ms: number) => exact.format(ms),
    day: (ms: number) => days.format(ms),
    clock: (ms: number) => clocks.format(ms),
    clockSeconds: (ms: number) => seconds.format(ms),
    /** A range of seconds, in minutes if both ends are whole minutes. */
    seconds(from: number, upTo: number): string {
      const isMinutes = upTo > 120 && from % 60 === 0 && upTo % 60 === 0
      return spaced(
        isMinutes ? units.min.formatRange(from / 60, upTo / 60) : units.wholeSeconds.formatRange(from, upTo),
      )
    },
    /** Seconds or minutes in a short form for the axis. */
    narrow: (value: number) =>
      value > 60 && value % 60 === 0 ? narrow.min.format(value / 60) : narrow.s.format(value),
    /** How long something takes, with one unit: 340 ms, 4.2 s, 3 min. */
    duration: (ms: number) => spaced(durationOf(ms)),
    /** A time relative to now: "5 minutes ago", "in 5 minutes". */
    ago: (ms: number, now: number) => spaced(agoOf(ms, now)),
  }

  function durationOf(ms: number): string {
    if (ms < SECOND) return units.ms.format(Math.round(ms))
    if (ms < 10 * SECOND) return units.s.format(ms / SECOND)
    if (ms < 2 * MINUTE) return units.wholeSeconds.format(Math.round(ms / SECOND))
    if (ms < 2 * HOUR) return units.min.format(Math.round(ms / MINUTE))
    if (ms < 2 * DAY) return units.h.format(Math.round(ms / HOUR))
    return units.d.format(Math.round(ms / DAY))
  }

  function agoOf(ms: number, now: number): string {
    const distance = ms - now
    const size = Math.abs(distance)
    if (size < MINUTE) return relative.format(Math.trunc(distance / SECOND), 'second')
    if (size < HOUR) return relative.format(Math.trunc(distance / MINUTE), 'minute')
    if (size < 2 * DAY) return relative.format(Math.trunc(distance / HOUR), 'hour')
    return relative.format(Math.trunc(distance / DAY), 'day')
  }
}

const SHORT = { month: 'short', day: 'numeric' } as const
