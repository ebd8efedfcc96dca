import { describe, expect, test } from 'vitest'
import type { BindingView, QrcodeView } from '../../server/wire.ts'
import { firstAttempt } from '../../widget/attempt.ts'
import { BindError } from '../../widget/bind-error.ts'
import { effectOf } from '../../widget/effect.ts'
import { AUTO_REFRESHES, type MachineEvent, reduce } from '../../widget/machine.ts'
import {
  type Bound,
  type Failed,
  initialState,
  type Loading,
  type Ready,
  type Scanned,
  type State,
} from '../../widget/state.ts'

const qr = { size: 25, path: 'M0 0h1v1h-1z' }
const ticketView = {
  state: 'unbound',
  url: 'u',
  qr,
  code: 'ABCD2345',
  expiresIn: 120,
  version: 17,
} satisfies QrcodeView
const ticket = { url: 'u', qr, code: 'ABCD2345', account: undefined, oauth: undefined, deadline: 121_000 }

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
const oneTap: Ready = { ...ready, ticket: { ...ticket, oauth: true } }
const leaving: Ready = { ...oneTap, isLeaving: true }
const proving: Loading = { ...reloading, proof: 'p' }
const followQr = { url: 'f', qr }
const unfollowed: Bound = { ...bound, subscribed: false, follow: followQr }
const halted: State = { name: 'idle', halted: true }
const expired: State = { name: 'expired', attempt: firstAttempt, version: 17, refreshesLeft: AUTO_REFRESHES }
const noRefreshLeft: State = { ...expired, refreshesLeft: 0 }

const temporary = new BindError('STORE_UNAVAILABLE', 'm', { retryable: true })
const later = new BindError('RATE_LIMITED', 'm', { retryable: true, retryAfterMs: 5000 })
const in15s = new BindError('RATE_LIMITED', 'm', { retryable: true, retryAfterMs: 15_000 })
const muchLater = new BindError('RATE_LIMITED', 'm', { retryable: true, retryAfterMs: 15_001 })
const permanent = new BindError('FORBIDDEN', 'm')
const tokenExpired = new BindError('TOKEN_EXPIRED', 'm')
const noToken = new BindError('NO_TOKEN', 'm', { retryable: true })
const wrongCode = new BindError('WRONG_CODE', 'm', { triesLeft: 2 })
const lastWrongCode = new BindError('WRONG_CODE', 'm', { triesLeft: 0 })
const otherUser = new BindError('OTHER_USER', 'm')
const notBound = new BindError('NOT_BOUND', 'm')
const conflict = new BindError('CONFLICT', 'm')
const proofExpired = new BindError('PROOF_EXPIRED', 'm')
const declined = new BindError('DECLINED', 'm')

const permanentError: Failed = { name: 'error', error: permanent, initial: true }
const laterError: Failed = { ...permanentError, initial: false }
const temporaryError: Failed = { ...permanentError, error: temporary }
const tokenError: Failed = { ...permanentError, error: tokenExpired }
const offline: State = { name: 'offline', initial: false }
const notPolling: Bound = { ...bound, attempt: undefined, failure: tokenExpired }

const fail = (error: BindError, random = 0.5): MachineEvent => ({ type: 'failed', error, random })
const wake = (now = 2000, auto = true): MachineEvent => ({ type: 'wake', now, auto })
const otherToken: MachineEvent = { type: 'wake', now: 2000, auto: true, isOther: true }
const answer = (view: QrcodeView | BindingView | null, tookMs = 40): MachineEvent => ({
  type: 'answered',
  view,
  now: 1000,
  tookMs,
})
const wakeAtDeadline = wake(121_000)
const attempt = (turn: number, failures = 0, delayMs = 0) => ({ turn, failures, delayMs })
const boundView = { state: 'bound', boundAt: 1_700_000_000, version: 19 } as const
const scannedView = { state: 'scanned', confirm: 'reply', version: 18 } as const

/** Rows of title, state, event and next state. `same`: `reduce` returns the same object. */
const steps: [title: string, from: State, event: MachineEvent, to: State | 'same'][] = [
  ['start: requests a QR code', initialState, { type: 'start' }, loading],
  ['start: requests a QR code after stop', halted, { type: 'start' }, loading],
  ['start: requests a QR code after the last one expired', expired, { type: 'start' }, reloading],
  ['start: requests a QR code again after an error', permanentError, { type: 'start' }, loading],
  ['start: is not initial after an error that was not initial', laterError, { type: 'start' }, reloading],
  ['start: does nothing while the QR code is requested', loading, { type: 'start' }, 'same'],
  ['stop: halts the element', ready, { type: 'stop' }, halted],
  ['stop: halts an element that has not started', initialState, { type: 'stop' }, halted],
  ['stop: does nothing when halted', halted, { type: 'stop' }, 'same'],

  ['refresh: replaces the displayed QR code', ready, { type: 'refresh' }, { ...reloading, replace: true }],
  ['refresh: replaces a scanned QR code', scanned, { type: 'refresh' }, { ...reloading, replace: true }],
  ['refresh: does not invalidate an expired QR code', expired, { type: 'refresh' }, reloading],
  ['refresh: requests the state again when bound', bound, { type: 'refresh' }, loading],
  ['refresh: does nothing while unbinding', unbinding, { type: 'refresh' }, 'same'],

  ['loading: displays the ticket', loading, answer(ticketView), ready],
  [
    'loading: is bound initially when the user is bound already',
    loading,
    answer(boundView),
    { ...bound, initial: true },
  ],
  [
    'loading: is bound when the user was bound during the request for the next QR code',
    reloading,
    answer(boundView),
    bound,
  ],
  ['loading: continues with a scan that waits for confirmation', loading, answer(scannedView), scanned],
  ['error: ignores a ticket that arrives late', permanentError, answer(ticketView), 'same'],

  ['ready: is scanned', ready, answer(scannedView), scanned],
  ['ready: is bound', ready, answer(boundView), bound],
  ['scanned: is bound after the confirmation', scanned, answer(boundView), bound],
  [
    'scanned: requests the current ticket when the confirmation time is over',
    scanned,
    answer({ state: 'unbound', version: 19 }),
    reloading,
  ],
  [
    'ready: requests the current ticket when the displayed ticket was used',
    ready,
    answer({ state: 'unbound', version: 18 }),
    reloading,
  ],
  [
    'bound: returns to the initial state when unbound elsewhere',
    bound,
    answer({ state: 'unbound', reason: 'chat', version: 20 }),
    initialState,
  ],
  [
    'bound: ignores an answer with a lower version, and polls again after a pause',
    bound,
    answer(scannedView),
    { ...bound, attempt: attempt(1, 0, 2000), isChecked: undefined },
  ],
  [
    'bound: requests the binding once when the token may belong to another user',
    bound,
    otherToken,
    { ...bound, attempt: attempt(1), isChecked: true },
  ],
  [
    'loading: requests the QR code again when the token may belong to another user',
    loading,
    otherToken,
    { ...loading, attempt: attempt(1) },
  ],
  [
    'ready: ignores an answer with the same version, and polls again after a pause',
    ready,
    answer({ state: 'unbound', version: 17 }),
    { ...ready, attempt: attempt(1, 0, 2000) },
  ],
  [
    'bound: displays a new binding to another WeChat account',
    bound,
    answer({ ...boundView, boundAt: 1_700_000_060, version: 21 }),
    { ...bound, boundAt: 1_700_000_060, version: 21 },
  ],

  ['ready: polls again at once after a full wait', ready, answer(null, 25_000), { ...ready, attempt: attempt(1) }],
  [
    'ready: polls without limit',
    { ...ready, attempt: attempt(12) },
    answer(null, 25_000),
    { ...ready, attempt: attempt(13) },
  ],
  [
    'ready: polls again 2 s after the start of a poll that was answered at once',
    ready,
    answer(null, 10),
    { ...ready, attempt: attempt(1, 0, 1990) },
  ],
  [
    'ready: resets the failure count after a successful poll',
    { ...ready, attempt: attempt(4, 3, 8000) },
    answer(null, 25_000),
    { ...ready, attempt: attempt(5) },
  ],

  ['loading: retries after a temporary failure', loading, fail(temporary), { ...loading, attempt: attempt(1, 1, 500) }],
  ['ready: waits for the Retry-After of the server', ready, fail(later), { ...ready, attempt: attempt(1, 1, 5500) }],
  [
    'loading: displays an error when Retry-After is longer than 15 s',
    loading,
    fail(muchLater),
    { ...permanentError, error: muchLater },
  ],
  ['loading: waits for a Retry-After of 15 s', loading, fail(in15s), { ...loading, attempt: attempt(1, 1, 15_500) }],
  [
    'loading: displays an error after four retries',
    { ...loading, attempt: attempt(4, 4) },
    fail(temporary),
    { ...permanentError, error: temporary },
  ],
  [
    'ready: retries without limit',
    { ...ready, attempt: attempt(9, 9) },
    fail(temporary, 1),
    { ...ready, attempt: attempt(10, 10, 30_000) },
  ],
  [
    'scanned: requests a QR code when the token belongs to another user',
    { ...scanned, code: '4821' },
    fail(otherUser),
    loading,
  ],
  ['ready: displays a permanent error', ready, fail(permanent), { ...permanentError, initial: false }],
  ['loading: displays a permanent error', loading, fail(permanent), permanentError],
  ['loading: displays a permanent error of the next QR code', reloading, fail(permanent), laterError],
  [
    'scanned: retries after a temporary failure',
    scanned,
    fail(temporary, 0),
    { ...scanned, attempt: attempt(1, 1, 0) },
  ],
  ['bound: stays bound and stops polling after a permanent failure', bound, fail(tokenExpired), notPolling],
  ['bound: retries after a temporary failure', bound, fail(temporary), { ...bound, attempt: attempt(1, 1, 500) }],
  ['error: ignores a second failure', permanentError, fail(temporary), 'same'],

  ['confirm: sends the code', asked, { type: 'confirm', code: '4821' }, checking],
  ['confirm: does nothing while a code is checked', checking, { type: 'confirm', code: '1111' }, 'same'],
  ['confirm: does nothing under CONFIRM=reply', scanned, { type: 'confirm', code: '4821' }, 'same'],
  [
    'confirm: displays how many tries are left',
    checking,
    fail(wrongCode),
    { ...asked, code: undefined, failure: wrongCode },
  ],
  ['confirm: requests a new QR code when no try is left', checking, fail(lastWrongCode), reloading],
  [
    'confirm: accepts a code again after a temporary failure',
    checking,
    fail(temporary),
    { ...asked, code: undefined, failure: temporary },
  ],
  ['confirm: is bound after the correct code', checking, answer(boundView), bound],
  ['confirm: displays a permanent error', checking, fail(permanent), laterError],

  ['unbind: sends the request', bound, { type: 'unbind' }, { ...unbinding, failure: undefined }],
  ['unbind: does nothing while unbinding', unbinding, { type: 'unbind' }, 'same'],
  ['unbind: does nothing when not bound', ready, { type: 'unbind' }, 'same'],
  ['unbind: stays bound when the request fails', unbinding, fail(permanent), { ...bound, failure: permanent }],
  ['unbind: returns to the initial state when the user was not bound', unbinding, fail(notBound), initialState],
  [
    'unbind: returns to the initial state with an answer of the same version',
    unbinding,
    answer({ state: 'unbound', version: 19 }),
    initialState,
  ],

  ['wake: requests a new QR code when one expires', ready, wakeAtDeadline, { ...reloading, refreshesLeft: 2 }],
  [
    'wake: is expired when the element may not request a new QR code automatically',
    ready,
    wake(121_000, false),
    expired,
  ],
  ['wake: is expired after three automatic refreshes', { ...ready, refreshesLeft: 0 }, wakeAtDeadline, noRefreshLeft],
  ['wake: keeps a scan after its QR code expired', scanned, wakeAtDeadline, { ...scanned, attempt: attempt(1) }],

  [
    'wake: polls at once and resets the failure count',
    { ...ready, attempt: attempt(3, 2, 4000) },
    wake(),
    { ...ready, attempt: attempt(4) },
  ],
  ['wake: replaces a QR code that expired while hidden', expired, wake(), { ...reloading, refreshesLeft: 2 }],
  [
    'wake: does not replace an expired QR code after three refreshes, and polls',
    noRefreshLeft,
    wake(),
    { ...noRefreshLeft, attempt: attempt(1) },
  ],
  ['wake: does not repeat the first request', loading, wake(), 'same'],
  [
    'wake: ends the pause before a retry',
    { ...loading, attempt: attempt(2, 2, 9000) },
    wake(),
    { ...loading, attempt: attempt(3) },
  ],
  ['wake: does not repeat the check of a code', checking, wake(), 'same'],
  ['wake: does not repeat an unbinding', unbinding, wake(), 'same'],
  ['wake: does nothing when polling has stopped because the token is invalid', notPolling, wake(), 'same'],

  ['offline: hides the QR code', ready, { type: 'offline' }, offline],
  ['offline: hides the question of a scan', scanned, { type: 'offline' }, offline],
  ['offline: is not initial while the next QR code is requested', reloading, { type: 'offline' }, offline],
  ['offline: does nothing when bound', bound, { type: 'offline' }, 'same'],
  ['wake: requests the current ticket when the network is back', offline, wake(), reloading],
  [
    'offline: is initial when nothing was displayed before',
    loading,
    { type: 'offline' },
    { ...offline, initial: true },
  ],
  ['wake: retries after a temporary error', temporaryError, wake(), loading],
  ['wake: does nothing after a permanent error', permanentError, wake(), 'same'],

  ['expired: is bound by a follow that came after the expiry', expired, answer(boundView), bound],
  ['expired: is scanned by a late scan that waits for confirmation', noRefreshLeft, answer(scannedView), scanned],
  [
    'expired: stays expired when the ticket is replaced elsewhere',
    expired,
    answer({ state: 'unbound', version: 18 }),
    { ...expired, version: 18 },
  ],
  ['expired: continues to poll', expired, answer(null, 25_000), { ...expired, attempt: attempt(1) }],
  [
    'expired: stops polling after 300 s, when a follow no longer counts',
    { ...expired, attempt: attempt(12) },
    answer(null, 25_000),
    { ...expired, attempt: undefined },
  ],
  [
    'expired: stays expired and stops polling after a permanent failure',
    expired,
    fail(tokenExpired),
    { ...expired, attempt: undefined },
  ],

  [
    'loading: knows that the server offers the authorization in WeChat',
    loading,
    answer({ ...ticketView, oauth: true }),
    { ...oneTap, attempt: firstAttempt },
  ],
  ['authorize: asks for the URL of WeChat', oneTap, { type: 'authorize' }, leaving],
  ['authorize: forgets the last failure', { ...oneTap, failure: temporary }, { type: 'authorize' }, leaving],
  ['authorize: does nothing while it asks', leaving, { type: 'authorize' }, 'same'],
  ['authorize: does nothing when the server does not offer it', ready, { type: 'authorize' }, 'same'],
  ['authorize: does nothing when bound', bound, { type: 'authorize' }, 'same'],
  [
    'authorize: works again after the page has gone to WeChat',
    leaving,
    answer(null),
    { ...oneTap, attempt: attempt(1, 0, 1960) },
  ],
  [
    'authorize: works again, and says why, after a failure',
    leaving,
    fail(permanent),
    { ...oneTap, failure: permanent },
  ],
  ['authorize: is not repeated by a wake', leaving, wake(), 'same'],
  ['returned: confirms the proof', initialState, { type: 'returned', proof: 'p' }, proving],
  [
    'returned: confirms the proof after a missing token',
    { ...permanentError, isUnstarted: true },
    { type: 'returned', proof: 'p' },
    proving,
  ],
  [
    'returned: displays the refusal',
    initialState,
    { type: 'returned', error: declined },
    { ...laterError, error: declined },
  ],
  ['proof: is bound, and not initially', proving, answer(boundView), bound],
  ['proof: continues with a scan that waits for confirmation', proving, answer(scannedView), scanned],
  [
    'proof: requests a QR code when the user was unbound meanwhile',
    proving,
    answer({ state: 'unbound', version: 20 }),
    reloading,
  ],
  ['proof: displays a conflict', proving, fail(conflict), { ...laterError, error: conflict }],
  ['proof: displays that it has expired', proving, fail(proofExpired), { ...laterError, error: proofExpired }],
  [
    'proof: is confirmed again after a temporary failure',
    proving,
    fail(temporary),
    { ...proving, attempt: attempt(1, 1, 500) },
  ],
  [
    'proof: asks for the state when an earlier try may have succeeded',
    { ...proving, attempt: attempt(1, 1, 500) },
    fail(proofExpired),
    reloading,
  ],
  ['proof: is not confirmed twice by a wake', proving, wake(), 'same'],
  ['proof: is not confirmed twice by a token of another user', proving, otherToken, 'same'],
  [
    'loading: is bound without following',
    loading,
    answer({ ...boundView, subscribed: false, follow: followQr }),
    { ...unfollowed, initial: true },
  ],
  [
    'bound: keeps the QR code to follow with while the user does not follow',
    unfollowed,
    answer({ ...boundView, version: 20, subscribed: false }),
    { ...unfollowed, version: 20 },
  ],
  [
    'bound: is complete when the user follows',
    unfollowed,
    answer({ ...boundView, version: 20 }),
    { ...bound, version: 20 },
  ],

  ['token: requests a QR code after a token error', tokenError, { type: 'token' }, loading],
  [
    'token: is not initial after a token error that was not initial',
    { ...tokenError, initial: false },
    { type: 'token' },
    reloading,
  ],
  ['token: polls again when bound', notPolling, { type: 'token' }, { ...bound, failure: undefined }],
  ['token: does nothing when ready', ready, { type: 'token' }, 'same'],
  [
    'token: does nothing when a code could not be checked without a token',
    { ...asked, failure: noToken },
    { type: 'token' },
    'same',
  ],
  ['token: does nothing after another error', permanentError, { type: 'token' }, 'same'],
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
  oneTap,
  leaving,
  proving,
  unfollowed,
  notPolling,
  expired,
  noRefreshLeft,
  offline,
  permanentError,
  tokenError,
]

const events: MachineEvent[] = [
  { type: 'start' },
  { type: 'stop' },
  { type: 'refresh' },
  { type: 'unbind' },
  { type: 'token' },
  { type: 'offline' },
  { type: 'authorize' },
  { type: 'returned', proof: 'p' },
  { type: 'returned', error: declined },
  { type: 'confirm', code: '4821' },
  answer(ticketView),
  answer(boundView),
  answer({ state: 'unbound', version: 30 }),
  answer(null, 0),
  fail(temporary),
  fail(permanent),
  wakeAtDeadline,
  wake(),
]

/** Freezes the state and its parts, so that a reducer that writes to its argument throws. */
function freeze(state: State): State {
  for (const part of Object.values(state)) if (!(part instanceof Error)) Object.freeze(part)
  return Object.freeze(state)
}

describe('initialState', () => {
  test('is not halted, so that an element starts when it becomes visible', () => {
    expect(initialState).toEqual({ name: 'idle', halted: false })
  })
})

describe('reduce', () => {
  test.each(steps)('%s', (_title, from, event, to) => {
    const state = reduce(freeze(from), event)
    if (to === 'same') expect(state).toBe(from)
    else expect(state).toEqual(to)
  })

  test('returns a state for every event in every state, and changes no state in place', () => {
    for (const state of states) {
      for (const event of events) expect(reduce(freeze(state), event).name).toBeTypeOf('string')
    }
  })

  test('returns a state with another effect whenever another request is due', () => {
    for (const event of [fail(temporary), answer(null, 0), wake()]) {
      for (const state of [ready, scanned, bound]) {
        expect(effectOf(reduce(state, event), { watch: true })).not.toBe(effectOf(state, { watch: true }))
      }
    }
  })
})

describe('a refused scan', () => {
  const refused = { state: 'unbound', version: 18, notice: 'conflict' } as const

  test('keeps the QR code and is mentioned for a minute', () => {
    expect(reduce(ready, answer(refused))).toEqual({
      ...ready,
      version: 18,
      attempt: attempt(1),
      refused: { notice: 'conflict', until: 61_000 },
    })
  })

  test('requests the QR code again when there was another change before the scan', () => {
    expect(reduce(ready, answer({ ...refused, version: 19 }))).toEqual(reloading)
  })

  test('is shown with the QR code that is requested after the scan', () => {
    const view = { ...ticketView, notice: 'expired_scan' } as const
    expect(reduce(loading, answer(view))).toMatchObject({ refused: { notice: 'expired_scan', until: 61_000 } })
  })
})

describe('a page without a token or a source of tokens', () => {
  const missing = new BindError('NO_TOKEN', 'm')

  test('is an error until the page sets a token', () => {
    const state = reduce(initialState, fail(missing))
    expect(state).toEqual({ name: 'error', error: missing, initial: true, isUnstarted: true })
    expect(reduce(state, { type: 'token' })).toBe(initialState)
  })
})

describe('the button of a closed dialog', () => {
  test('changes only when a WeChat is bound', () => {
    expect(reduce(initialState, answer({ state: 'unbound', version: 3 }))).toBe(initialState)
    expect(reduce(initialState, answer(boundView))).toEqual({ ...bound, initial: true })
    expect(reduce(initialState, fail(temporary))).toBe(initialState)
  })
})
