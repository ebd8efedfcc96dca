/** The limits of attempts. The simulation sets them low enough to be reached. */
import type { State, UserKey } from './state.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const WRONG_DIGITS_AN_HOUR = 9

export const QR_LIMITS = { minute: 4, hour: 12, day: 40 }
export const WINDOWS = { minute: 60 * SECOND, hour: HOUR, day: 24 * HOUR }

export function isLimited(m: State, key: UserKey): boolean {
  const isOver = (scope: string, most: number) => {
    const window = m.windows.get(scope)
    return window !== undefined && m.now < window.until && window.count >= most
  }
  return (
    isOver(`digits ${key}`, WRONG_DIGITS_AN_HOUR) ||
    (['minute', 'hour', 'day'] as const).some((unit) => isOver(`${unit} ${key}`, QR_LIMITS[unit]))
  )
}

export function count(m: State, scope: string, ms: number): void {
  const window = m.windows.get(scope)
  const isOpenWindow = window !== undefined && m.now < window.until
  m.windows.set(scope, isOpenWindow ? { ...window, count: window.count + 1 } : { count: 1, until: m.now + ms })
}
