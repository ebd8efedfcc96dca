/** The limits of attempts. They are so low that stories reach them. */
import type { State, UserKey } from './state.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const WRONG_DIGITS_AN_HOUR = 9

export const QR_LIMITS = { minute: 4, hour: 12, day: 40 }
const WINDOWS = { minute: 60 * SECOND, hour: HOUR, day: 24 * HOUR }
const UNITS = ['minute', 'hour', 'day'] as const

export type Attempt = 'qr' | 'oauth'

export function isLimited(m: State, key: UserKey, attempt: Attempt): boolean {
  return (
    (attempt === 'qr' && isDigitsLimited(m, key)) ||
    UNITS.some((unit) => isOver(m, `${attempt}/${unit} ${key}`, QR_LIMITS[unit]))
  )
}

export const isDigitsLimited = (m: State, key: UserKey) => isOver(m, `digits/hour ${key}`, WRONG_DIGITS_AN_HOUR)

export function countAttempt(m: State, key: UserKey, attempt: Attempt): void {
  for (const unit of UNITS) count(m, `${attempt}/${unit} ${key}`, WINDOWS[unit])
}

export const countWrongDigits = (m: State, key: UserKey) => count(m, `digits/hour ${key}`, HOUR)

function isOver(m: State, scope: string, most: number): boolean {
  const window = m.windows.get(scope)
  return window !== undefined && m.now < window.until && window.count >= most
}

function count(m: State, scope: string, ms: number): void {
  const window = m.windows.get(scope)
  const isOpenWindow = window !== undefined && m.now < window.until
  m.windows.set(scope, isOpenWindow ? { ...window, count: window.count + 1 } : { count: 1, until: m.now + ms })
}
