import { describe, expect, test } from 'vitest'
import { firstAttempt } from '../../widget/attempt.ts'
import { BindError } from '../../widget/bind-error.ts'
import { type Effect, effectOf } from '../../widget/effect.ts'
import { type Bound, initialState, type Loading, type Ready, type Scanned, type State } from '../../widget/state.ts'

const ticket = {
  url: 'u',
  qr: { size: 25, path: 'M0 0h1v1h-1z' },
  code: 'ABCD2345',
  account: undefined,
  oauth: true as const,
  deadline: 1,
}
const attempt = firstAttempt
const loading: Loading = { name: 'loading', attempt, replace: false, initial: true, refreshesLeft: 3 }
const ready: Ready = { name: 'ready', attempt, version: 17, ticket, refreshesLeft: 3 }
const scanned: Scanned = { name: 'scanned', attempt, version: 18, confirm: 'code' }
const checking: Scanned = { ...scanned, code: '4821' }
const bound: Bound = { name: 'bound', attempt, version: 19, boundAt: 1, initial: false, unbinding: false }
const unbinding: Bound = { ...bound, unbinding: true }
const leaving: Ready = { ...ready, isLeaving: true }
const proving: Loading = { ...loading, proof: 'p' }
const unfollowed: Bound = { ...bound, subscribed: false, follow: { url: 'f', qr: ticket.qr } }
const expired: State = { name: 'expired', attempt, version: 17, refreshesLeft: 3 }

describe('effectOf', () => {
  const effects: [State, Effect][] = [
    [initialState, 'none'],
    [loading, 'create:0'],
    [{ ...loading, attempt: { turn: 3, failures: 3, delayMs: 0 } }, 'create:3'],
    [ready, 'wait:17.0'],
    [scanned, 'wait:18.0'],
    [checking, 'ask:18'],
    [bound, 'none'],
    [unbinding, 'ask:19'],
    [leaving, 'ask:17'],
    [proving, 'ask:0'],
    [{ ...proving, attempt: { turn: 2, failures: 2, delayMs: 9 } }, 'ask:2'],
    [expired, 'wait:17.0'],
    [{ ...expired, attempt: undefined }, 'none'],
    [{ name: 'offline', initial: false }, 'none'],
    [{ name: 'error', error: new BindError('FORBIDDEN', 'm'), initial: true }, 'none'],
  ]

  test.each(effects)('returns the effect of %o', (state, effect) => {
    expect(effectOf(state)).toBe(effect)
  })

  test('returns a poll for a bound element only with `watch`, or while `isChecked` is set', () => {
    expect(effectOf(bound, { watch: true })).toBe('wait:19.0')
    expect(effectOf({ ...bound, isChecked: true })).toBe('wait:19.0')
    expect(effectOf({ ...bound, attempt: undefined }, { watch: true })).toBe('none')
  })

  test('for a hidden element, returns only the countdown or a request that the user started', () => {
    const hidden = { watch: true, visible: false }
    for (const state of [loading, scanned, bound, expired]) expect(effectOf(state, hidden)).toBe('none')
    expect(effectOf(ready, hidden)).toBe('count:17')
    expect(effectOf(checking, hidden)).toBe('ask:18')
    expect(effectOf(unbinding, hidden)).toBe('ask:19')
    expect(effectOf(leaving, hidden)).toBe('ask:17')
    expect(effectOf(proving, hidden)).toBe('ask:0')
  })

  test('returns up to twelve polls for a bound element that shows the QR code for following the account', () => {
    const late = (turn: number): Bound => ({ ...unfollowed, attempt: { ...attempt, turn } })
    expect(effectOf(unfollowed)).toBe('wait:19.0')
    expect(effectOf(late(11))).toBe('wait:19.11')
    expect(effectOf(late(12))).toBe('none')
    expect(effectOf(late(12), { watch: true })).toBe('wait:19.12')
    expect(effectOf(unfollowed, { looks: true }), 'the dialog is closed').toBe('none')
    expect(effectOf({ ...unfollowed, follow: undefined })).toBe('none')
  })

  test('waits for a token while the tab is visible, but not after stop()', () => {
    expect(effectOf(initialState, { lacksToken: true })).toBe('token')
    expect(effectOf(initialState, { lacksToken: true, visible: false })).toBe('none')
    expect(effectOf({ name: 'idle', halted: true }, { lacksToken: true })).toBe('none')
  })

  test('returns one request for the binding while the element is the button of a closed dialog', () => {
    expect(effectOf(initialState, { looks: true })).toBe('look')
  })
})
