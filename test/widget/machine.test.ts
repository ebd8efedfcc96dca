import { describe, expect, test } from 'vitest'
import type { BindingView, QrcodeView } from '../../server/wire.ts'
import { firstAttempt } from '../../widget/attempt.ts'
import { BindError } from '../../widget/bind-error.ts'
import {
  AUTO_REFRESHES,
  type Bound,
  type Effect,
  effectOf,
  type Failed,
  initialState,
  type Loading,
  type MachineEvent,
  type Ready,
  reduce,
  type Scanned,
  type State,
} from '../../widget/machine.ts'

const qr = { size: 25, path: 'M0 0h1v1h-1z' }
const ticketView = {
  state: 'unbound',
  url: 'u',
  qr,
  code: 'ABCD2345',
  expiresIn: 120,
  version: 17,
} satisfies QrcodeView
const ticket = { url: 'u', qr, code: 'ABCD2345', deadline: 121_000 }

const loading: Loading = {
  name: 'loading',
  attempt: firstAttempt,
  replace: false,
  initial: true,
  refreshesLeft: AUTO_REFRESHES,
}
const reloading: Loading = { ...loading, initial: false }
const ready: Ready = { name: 'ready', attempt: firstAttempt, version: 17, ticket, refreshesLeft: AUTO_REFRESHES }
const scanned: Scanned = { name: 'scanned', attempt: firstAttempt, version: 18, confirm: 'reply' }
const asked: Scanned = { ...scanned, confirm: 'code' }
const checking: Scanned = { ...asked, code: '4821' }
const bound: Bound = {
  name: 'bound',
  attempt: firstAttempt,
  version: 19,
  boundAt: 1_700_000_000,
  initial: false,
  unbinding: false,
}
const unbinding: Bound = { ...bound, unbinding: true }
const halted: State = { name: 'idle', halted: true }
const expired: State = { name: 'expired', attempt: firstAttempt, version: 17, refreshesLeft: AUTO_REFRESHES }
const spent: State = { ...expired, refreshesLeft: 0 }

const busy = new BindError('STORE_UNAVAILABLE', 'm', { retryable: true })
const later = new BindError('RATE_LIMITED', 'm', { retryable: true, retryAfterMs: 5000 })
const muchLater = new BindError('RATE_LIMITED', 'm', { retryable: true, retryAfterMs: 60_000 })
const forbidden = new BindError('FORBIDDEN', 'm')
const tokenExpired = new BindError('TOKEN_EXPIRED', 'm')
const wrongCode = new BindError('WRONG_CODE', 'm', { triesLeft: 2 })
const lastWrongCode = new BindError('WRONG_CODE', 'm', { triesLeft: 0 })
const otherUser = new BindError('OTHER_USER', 'm')
const notBound = new BindError('NOT_BOUND', 'm')

const broken: Failed = { name: 'error', error: forbidden, initial: true }
const brokenPipe: Failed = { ...broken, error: busy }
const lockedOut: Failed = { ...broken, error: tokenExpired }
const offline: State = { name: 'offline', initial: false }
const deaf: Bound = { ...bound, attempt: undefined, failure: tokenExpired }

const fail = (error: BindError, random = 0.5): MachineEvent => ({ type: 'failed', error, random })
const wake = (now = 2000, auto = true): MachineEvent => ({ type: 'wake', now, auto })
const otherToken: MachineEvent = { type: 'wake', now: 2000, auto: true, isOther: true }
const answer = (view: QrcodeView | BindingView | null, tookMs = 40): MachineEvent => ({
  type: 'answered',
  view,
  now: 1000,
  tookMs,
})
const late = wake(121_000)
const attempt = (turn: number, failures = 0, delayMs = 0) => ({ turn, failures, delayMs })
const boundView = { state: 'bound', boundAt: 1_700_000_000, version: 19 } as const
const scannedView = { state: 'scanned', confirm: 'reply', version: 18 } as const

/** What happens to whom, and what becomes of it; `same`: the very same object. */
const steps: [title: string, from: State, event: MachineEvent, to: State | 'same'][] = [
  ['starts', initialState, { type: 'start' }, loading],
  ['starts when told to', halted, { type: 'start' }, loading],
  ['starts again after the end of a QR', expired, { type: 'start' }, reloading],
  ['starts again after an error', broken, { type: 'start' }, loading],
  ['does not start twice', loading, { type: 'start' }, 'same'],
  ['stops from anywhere', ready, { type: 'stop' }, halted],
  ['stops once', halted, { type: 'stop' }, 'same'],

  ['replaces the QR on screen on an explicit refresh', ready, { type: 'refresh' }, { ...reloading, replace: true }],
  ['gives up a scan on an explicit refresh', scanned, { type: 'refresh' }, { ...reloading, replace: true }],
  ['leaves an ended ticket alone on a refresh', expired, { type: 'refresh' }, reloading],
  ['looks again when a bound element is refreshed', bound, { type: 'refresh' }, loading],
  ['does not refresh in the middle of unbinding', unbinding, { type: 'refresh' }, 'same'],

  ['shows the ticket', loading, answer(ticketView), ready],
  ['knows a binding that was there before', loading, answer(boundView), { ...bound, initial: true }],
  ['knows a binding made while it asked anew', reloading, answer(boundView), bound],
  ['goes on where a scan left off', loading, answer(scannedView), scanned],
  ['drops a ticket that nobody waits for', broken, answer(ticketView), 'same'],

  ['sees the scan', ready, answer(scannedView), scanned],
  ['sees the binding', ready, answer(boundView), bound],
  ['sees the confirmation', scanned, answer(boundView), bound],
  ['asks for the live ticket when a scan lapses', scanned, answer({ state: 'unbound', version: 19 }), reloading],
  ['asks for the live ticket when its own was used up', ready, answer({ state: 'unbound', version: 18 }), reloading],
  ['is as new after an unbinding', bound, answer({ state: 'unbound', reason: 'chat', version: 20 }), initialState],
  [
    'drops an older answer, and asks on',
    bound,
    answer(scannedView),
    { ...bound, attempt: attempt(1, 0, 2000), isChecked: undefined },
  ],
  ['asks once more whose binding it shows', bound, otherToken, { ...bound, attempt: attempt(1), isChecked: true }],
  ['asks anew for a QR under another token', loading, otherToken, { ...loading, attempt: attempt(1) }],
  [
    'takes an equal version for no news, and asks no faster',
    ready,
    answer({ state: 'unbound', version: 17 }),
    { ...ready, attempt: attempt(1, 0, 2000) },
  ],
  [
    'takes a second WeChat for a new binding',
    bound,
    answer({ ...boundView, boundAt: 1_700_000_060, version: 21 }),
    { ...bound, boundAt: 1_700_000_060, version: 21 },
  ],

  ['polls again at once after a full wait', ready, answer(null, 25_000), { ...ready, attempt: attempt(1) }],
  ['spaces out polls that end at once', ready, answer(null, 10), { ...ready, attempt: attempt(1, 0, 1990) }],
  [
    'forgets failures once a poll ends well',
    { ...ready, attempt: attempt(4, 3, 8000) },
    answer(null, 25_000),
    { ...ready, attempt: attempt(5) },
  ],

  ['tries again after a passing failure', loading, fail(busy), { ...loading, attempt: attempt(1, 1, 500) }],
  ['waits as long as the server asks', ready, fail(later), { ...ready, attempt: attempt(1, 1, 5500) }],
  ['does not wait in silence for a minute', loading, fail(muchLater), { ...broken, error: muchLater }],
  [
    'gives up on a QR after four retries',
    { ...loading, attempt: attempt(4, 4) },
    fail(busy),
    { ...broken, error: busy },
  ],
  [
    'never gives up on a QR that is on screen',
    { ...ready, attempt: attempt(9, 9) },
    fail(busy, 1),
    { ...ready, attempt: attempt(10, 10, 30_000) },
  ],
  ['begins anew for another user', { ...scanned, code: '4821' }, fail(otherUser), loading],
  ['says what it cannot mend', ready, fail(forbidden), { ...broken, initial: false }],
  ['keeps a scan through a passing failure', scanned, fail(busy, 0), { ...scanned, attempt: attempt(1, 1, 0) }],
  ['keeps the binding when watching fails for good', bound, fail(tokenExpired), deaf],
  ['goes on watching after a passing failure', bound, fail(busy), { ...bound, attempt: attempt(1, 1, 500) }],
  ['fails only once', broken, fail(busy), 'same'],

  ['checks the code', asked, { type: 'confirm', code: '4821' }, checking],
  ['checks one code at a time', checking, { type: 'confirm', code: '1111' }, 'same'],
  ['takes no code where none is asked for', scanned, { type: 'confirm', code: '4821' }, 'same'],
  ['tells how many tries are left', checking, fail(wrongCode), { ...asked, code: undefined, failure: wrongCode }],
  ['starts over when no try is left', checking, fail(lastWrongCode), reloading],
  [
    'lets a code be typed again after a passing failure',
    checking,
    fail(busy),
    { ...asked, code: undefined, failure: busy },
  ],
  ['is bound by the right code', checking, answer(boundView), bound],

  ['unbinds', bound, { type: 'unbind' }, { ...unbinding, failure: undefined }],
  ['unbinds once', unbinding, { type: 'unbind' }, 'same'],
  ['has nothing to unbind', ready, { type: 'unbind' }, 'same'],
  ['stays bound when unbinding is refused', unbinding, fail(forbidden), { ...bound, failure: forbidden }],
  ['is unbound when there was nothing to undo', unbinding, fail(notBound), initialState],

  ['makes a new QR when one ends', ready, late, { ...reloading, refreshesLeft: 2 }],
  ['waits for a click when nobody looks', ready, wake(121_000, false), expired],
  ['waits for a click after three times', { ...ready, refreshesLeft: 0 }, late, spent],
  ['lets a scan outlive its QR', scanned, late, { ...scanned, attempt: attempt(1) }],

  [
    'polls at once when looked at again',
    { ...ready, attempt: attempt(3, 2, 4000) },
    wake(),
    { ...ready, attempt: attempt(4) },
  ],
  ['makes the QR that ended out of sight', expired, wake(), { ...reloading, refreshesLeft: 2 }],
  ['leaves it to a click after three times, and listens on', spent, wake(), { ...spent, attempt: attempt(1) }],
  ['leaves a first request alone', loading, wake(), 'same'],
  [
    'does not sleep on when looked at',
    { ...loading, attempt: attempt(2, 2, 9000) },
    wake(),
    { ...loading, attempt: attempt(3) },
  ],
  ['does not disturb a code being checked', checking, wake(), 'same'],
  ['does not disturb an unbinding', unbinding, wake(), 'same'],
  ['stays deaf for want of a token', deaf, wake(), 'same'],

  ['covers the QR when the network goes', ready, { type: 'offline' }, offline],
  ['stays bound when the network goes', bound, { type: 'offline' }, 'same'],
  ['asks for the live ticket when the network is back', offline, wake(), reloading],
  ['has not begun when the network went first', loading, { type: 'offline' }, { ...offline, initial: true }],
  ['mends a passing error when looked at', brokenPipe, wake(), loading],
  ['does not mend a lasting error', broken, wake(), 'same'],

  ['hears of a scan whose "follow" came after the end', expired, answer(boundView), bound],
  ['hears of a late scan that waits to be confirmed', spent, answer(scannedView), scanned],
  [
    'stays ended when the ticket is replaced elsewhere',
    expired,
    answer({ state: 'unbound', version: 18 }),
    { ...expired, version: 18 },
  ],
  ['listens on', expired, answer(null, 25_000), { ...expired, attempt: attempt(1) }],
  [
    'listens no longer than a scan may count',
    { ...expired, attempt: attempt(12) },
    answer(null, 25_000),
    { ...expired, attempt: undefined },
  ],
  ['stays ended when listening fails for good', expired, fail(tokenExpired), { ...expired, attempt: undefined }],

  ['goes on with a new token', lockedOut, { type: 'token' }, loading],
  ['watches on with a new token', deaf, { type: 'token' }, { ...bound, failure: undefined }],
  ['is not disturbed by a new token', ready, { type: 'token' }, 'same'],
  ['is not helped by a new token', broken, { type: 'token' }, 'same'],
]

const states: State[] = [
  initialState,
  halted,
  loading,
  ready,
  scanned,
  checking,
  bound,
  unbinding,
  deaf,
  expired,
  spent,
  offline,
  broken,
  lockedOut,
]

const events: MachineEvent[] = [
  { type: 'start' },
  { type: 'stop' },
  { type: 'refresh' },
  { type: 'unbind' },
  { type: 'token' },
  { type: 'offline' },
  { type: 'confirm', code: '4821' },
  answer(ticketView),
  answer(boundView),
  answer({ state: 'unbound', version: 30 }),
  answer(null, 0),
  fail(busy),
  fail(forbidden),
  late,
  wake(),
]

/** Deep-frozen, so that a reducer that writes into its argument throws. */
function freeze(state: State): State {
  for (const part of Object.values(state)) if (!(part instanceof Error)) Object.freeze(part)
  return Object.freeze(state)
}

describe('reduce', () => {
  test.each(steps)('%s', (_title, from, event, to) => {
    const state = reduce(freeze(from), event)
    if (to === 'same') expect(state).toBe(from)
    else expect(state).toEqual(to)
  })

  test('has an answer for every event in every state, and changes none in place', () => {
    for (const state of states) {
      for (const event of events) expect(reduce(freeze(state), event).name).toBeTypeOf('string')
    }
  })

  test('names another effect whenever it asks for another request', () => {
    for (const event of [fail(busy), answer(null, 0), wake()]) {
      for (const state of [ready, scanned, bound]) {
        expect(effectOf(reduce(state, event), { watch: true })).not.toBe(effectOf(state, { watch: true }))
      }
    }
  })
})

describe('effectOf', () => {
  const effects: [State, Effect][] = [
    [initialState, 'none'],
    [loading, 'create:0'],
    [{ ...loading, attempt: attempt(3, 3) }, 'create:3'],
    [ready, 'wait:17.0'],
    [scanned, 'wait:18.0'],
    [checking, 'ask:18'],
    [bound, 'none'],
    [unbinding, 'ask:19'],
    [expired, 'wait:17.0'],
    [{ ...expired, attempt: undefined }, 'none'],
    [offline, 'none'],
    [broken, 'none'],
  ]

  test.each(effects)('names what %o wants', (state, effect) => {
    expect(effectOf(state)).toBe(effect)
  })

  test('listens on after success only when asked to', () => {
    expect(effectOf(bound, { watch: true })).toBe('wait:19.0')
    expect(effectOf({ ...bound, isChecked: true })).toBe('wait:19.0')
    expect(effectOf(deaf, { watch: true })).toBe('none')
  })

  test('only counts down, or ends what the user began, while nobody looks', () => {
    const hidden = { watch: true, visible: false }
    for (const state of [loading, scanned, bound, expired]) expect(effectOf(state, hidden)).toBe('none')
    expect(effectOf(ready, hidden)).toBe('count:17')
    expect(effectOf(checking, hidden)).toBe('ask:18')
    expect(effectOf(unbinding, hidden)).toBe('ask:19')
  })
})
