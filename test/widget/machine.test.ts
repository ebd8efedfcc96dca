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

/**
 * Each row has a title, a state, an event and the next state. With `same`, `reduce` must return the same object. A title
 * begins with the event, or with the state if the event is an answer or a failure. `proof` is the state `loading` with a
 * proof.
 */
const steps: [title: string, from: State, event: MachineEvent, to: State | 'same'][] = [
  ['start: the element requests a QR code', initialState, { type: 'start' }, loading],
  ['start: the element requests a QR code after `stop`', halted, { type: 'start' }, loading],
  ['start: the element requests a QR code after the last QR code has expired', expired, { type: 'start' }, reloading],
  ['start: the element requests a QR code again after an error', permanentError, { type: 'start' }, loading],
  ['start: a restart after a later error keeps `initial: false`', laterError, { type: 'start' }, reloading],
  ['start: nothing changes while the element requests a QR code', loading, { type: 'start' }, 'same'],
  ['stop: the element is halted', ready, { type: 'stop' }, halted],
  ['stop: an element that has not started is halted', initialState, { type: 'stop' }, halted],
  ['stop: nothing changes in a halted element', halted, { type: 'stop' }, 'same'],

  ['refresh: the element replaces the displayed QR code', ready, { type: 'refresh' }, { ...reloading, replace: true }],
  ['refresh: the element replaces a scanned QR code', scanned, { type: 'refresh' }, { ...reloading, replace: true }],
  [
    'refresh: the element requests a QR code and does not invalidate the expired QR code',
    expired,
    { type: 'refresh' },
    reloading,
  ],
  ['refresh: a bound element requests its state again', bound, { type: 'refresh' }, loading],
  ['refresh: nothing changes while the element unbinds', unbinding, { type: 'refresh' }, 'same'],

  ['loading: the element displays the QR code of the answer', loading, answer(ticketView), ready],
  [
    'loading: the element becomes bound with `initial: true` when the user was already bound',
    loading,
    answer(boundView),
    { ...bound, initial: true },
  ],
  [
    'loading: the element becomes bound with `initial: false` when the user was bound during the request for the next QR code',
    reloading,
    answer(boundView),
    bound,
  ],
  ['loading: the element becomes scanned when a scan waits for confirmation', loading, answer(scannedView), scanned],
  ['error: the element ignores a QR code that arrives late', permanentError, answer(ticketView), 'same'],

  ['ready: the element becomes scanned after a scan', ready, answer(scannedView), scanned],
  ['ready: the element becomes bound after a scan', ready, answer(boundView), bound],
  ['scanned: the element becomes bound after the confirmation', scanned, answer(boundView), bound],
  [
    'scanned: the element requests the current QR code when the time for the confirmation is over',
    scanned,
    answer({ state: 'unbound', version: 19 }),
    reloading,
  ],
  [
    'ready: the element requests the current QR code when another scan has used the displayed QR code',
    ready,
    answer({ state: 'unbound', version: 18 }),
    reloading,
  ],
  [
    'bound: the element returns to its initial state when the user is unbound elsewhere',
    bound,
    answer({ state: 'unbound', reason: 'chat', version: 20 }),
    initialState,
  ],
  [
    'bound: the element ignores an answer with a lower version, and polls again after a pause',
    bound,
    answer(scannedView),
    { ...bound, attempt: attempt(1, 0, 2000), isChecked: undefined },
  ],
  [
    'bound: the element requests the binding once when the token may belong to another user',
    bound,
    otherToken,
    { ...bound, attempt: attempt(1), isChecked: true },
  ],
  [
    'loading: the element requests the QR code again when the token may belong to another user',
    loading,
    otherToken,
    { ...loading, attempt: attempt(1) },
  ],
  [
    'ready: the element ignores an answer with the same version, and polls again after a pause',
    ready,
    answer({ state: 'unbound', version: 17 }),
    { ...ready, attempt: attempt(1, 0, 2000) },
  ],
  [
    'bound: the element displays a new binding to another WeChat account',
    bound,
    answer({ ...boundView, boundAt: 1_700_000_060, version: 21 }),
    { ...bound, boundAt: 1_700_000_060, version: 21 },
  ],

  [
    'ready: the element polls again at once after a poll that waited for the full time',
    ready,
    answer(null, 25_000),
    { ...ready, attempt: attempt(1) },
  ],
  [
    'ready: the element polls without limit',
    { ...ready, attempt: attempt(12) },
    answer(null, 25_000),
    { ...ready, attempt: attempt(13) },
  ],
  [
    'ready: the element polls again 2 s after the start of a poll that the server answered at once',
    ready,
    answer(null, 10),
    { ...ready, attempt: attempt(1, 0, 1990) },
  ],
  [
    'ready: the element resets the failure count after a successful poll',
    { ...ready, attempt: attempt(4, 3, 8000) },
    answer(null, 25_000),
    { ...ready, attempt: attempt(5) },
  ],

  [
    'loading: the element retries after a temporary failure',
    loading,
    fail(temporary),
    { ...loading, attempt: attempt(1, 1, 500) },
  ],
  [
    'ready: the element waits for the Retry-After of the server',
    ready,
    fail(later),
    { ...ready, attempt: attempt(1, 1, 5500) },
  ],
  [
    'loading: the element displays an error when Retry-After is longer than 15 s',
    loading,
    fail(muchLater),
    { ...permanentError, error: muchLater },
  ],
  [
    'loading: the element waits for a Retry-After of 15 s',
    loading,
    fail(in15s),
    { ...loading, attempt: attempt(1, 1, 15_500) },
  ],
  [
    'loading: the element displays an error after four retries',
    { ...loading, attempt: attempt(4, 4) },
    fail(temporary),
    { ...permanentError, error: temporary },
  ],
  [
    'ready: the element retries a failed poll without limit',
    { ...ready, attempt: attempt(9, 9) },
    fail(temporary, 1),
    { ...ready, attempt: attempt(10, 10, 30_000) },
  ],
  [
    'scanned: the element requests a QR code when the token belongs to another user',
    { ...scanned, code: '4821' },
    fail(otherUser),
    loading,
  ],
  ['ready: the element displays a permanent error', ready, fail(permanent), { ...permanentError, initial: false }],
  ['loading: the element displays a permanent error', loading, fail(permanent), permanentError],
  [
    'loading: a permanent error while the element requests the next QR code has `initial: false`',
    reloading,
    fail(permanent),
    laterError,
  ],
  [
    'scanned: the element retries after a temporary failure',
    scanned,
    fail(temporary, 0),
    { ...scanned, attempt: attempt(1, 1, 0) },
  ],
  ['bound: the element stays bound and stops polling after a permanent failure', bound, fail(tokenExpired), notPolling],
  [
    'bound: the element retries after a temporary failure',
    bound,
    fail(temporary),
    { ...bound, attempt: attempt(1, 1, 500) },
  ],
  ['error: the element ignores a second failure', permanentError, fail(temporary), 'same'],

  ['confirm: the element sends the code', asked, { type: 'confirm', code: '4821' }, checking],
  ['confirm: nothing changes while the server checks a code', checking, { type: 'confirm', code: '1111' }, 'same'],
  [
    'confirm: nothing changes when the user must confirm in the chat',
    scanned,
    { type: 'confirm', code: '4821' },
    'same',
  ],
  [
    'confirm: the element displays the number of tries left after a wrong code',
    checking,
    fail(wrongCode),
    { ...asked, code: undefined, failure: wrongCode },
  ],
  ['confirm: the element requests a new QR code when no try is left', checking, fail(lastWrongCode), reloading],
  [
    'confirm: the element accepts a code again after a temporary failure',
    checking,
    fail(temporary),
    { ...asked, code: undefined, failure: temporary },
  ],
  ['confirm: the element becomes bound after the correct code', checking, answer(boundView), bound],
  ['confirm: the element displays a permanent error', checking, fail(permanent), laterError],

  ['unbind: the element sends the request', bound, { type: 'unbind' }, { ...unbinding, failure: undefined }],
  ['unbind: nothing changes while the element unbinds', unbinding, { type: 'unbind' }, 'same'],
  ['unbind: nothing changes in an element that is not bound', ready, { type: 'unbind' }, 'same'],
  [
    'unbind: the element stays bound when the request fails',
    unbinding,
    fail(permanent),
    { ...bound, failure: permanent },
  ],
  [
    'unbind: the element returns to its initial state when the server answers that the user was not bound',
    unbinding,
    fail(notBound),
    initialState,
  ],
  [
    'unbind: the element returns to its initial state even if the version in the answer has not changed',
    unbinding,
    answer({ state: 'unbound', version: 19 }),
    initialState,
  ],

  [
    'wake: the element requests a new QR code when the displayed QR code expires',
    ready,
    wakeAtDeadline,
    { ...reloading, refreshesLeft: 2 },
  ],
  [
    'wake: the element becomes expired when it may not request a new QR code automatically',
    ready,
    wake(121_000, false),
    expired,
  ],
  [
    'wake: the element becomes expired after three automatic refreshes',
    { ...ready, refreshesLeft: 0 },
    wakeAtDeadline,
    noRefreshLeft,
  ],
  [
    'wake: the element stays scanned after the QR code has expired',
    scanned,
    wakeAtDeadline,
    { ...scanned, attempt: attempt(1) },
  ],

  [
    'wake: the element polls at once and resets the failure count',
    { ...ready, attempt: attempt(3, 2, 4000) },
    wake(),
    { ...ready, attempt: attempt(4) },
  ],
  [
    'wake: the element replaces a QR code that expired while the tab was hidden',
    expired,
    wake(),
    { ...reloading, refreshesLeft: 2 },
  ],
  [
    'wake: after three refreshes, the element keeps the state `expired` and polls',
    noRefreshLeft,
    wake(),
    { ...noRefreshLeft, attempt: attempt(1) },
  ],
  ['wake: the element does not repeat its first request', loading, wake(), 'same'],
  [
    'wake: the element ends the pause before a retry',
    { ...loading, attempt: attempt(2, 2, 9000) },
    wake(),
    { ...loading, attempt: attempt(3) },
  ],
  ['wake: the element does not send a code a second time', checking, wake(), 'same'],
  ['wake: the element does not send the request to unbind a second time', unbinding, wake(), 'same'],
  ['wake: nothing changes when polling has stopped because of an invalid token', notPolling, wake(), 'same'],

  ['offline: the element hides the QR code', ready, { type: 'offline' }, offline],
  ['offline: the element hides the request for a confirmation', scanned, { type: 'offline' }, offline],
  [
    'offline: the element keeps `initial: false` while it requests the next QR code',
    reloading,
    { type: 'offline' },
    offline,
  ],
  ['offline: nothing changes in a bound element', bound, { type: 'offline' }, 'same'],
  ['wake: the element requests the current QR code when the network is back', offline, wake(), reloading],
  [
    'offline: the element keeps `initial: true` when it has not displayed anything before',
    loading,
    { type: 'offline' },
    { ...offline, initial: true },
  ],
  ['wake: the element retries after a temporary error', temporaryError, wake(), loading],
  ['wake: nothing changes after a permanent error', permanentError, wake(), 'same'],

  [
    'expired: the element becomes bound when the user follows the account after the expiry',
    expired,
    answer(boundView),
    bound,
  ],
  [
    'expired: the element becomes scanned when a late scan waits for confirmation',
    noRefreshLeft,
    answer(scannedView),
    scanned,
  ],
  [
    'expired: the element stays expired when the QR code is replaced elsewhere',
    expired,
    answer({ state: 'unbound', version: 18 }),
    { ...expired, version: 18 },
  ],
  ['expired: the element continues to poll', expired, answer(null, 25_000), { ...expired, attempt: attempt(1) }],
  [
    'expired: the element stops polling after 300 s, because the server accepts no later follow',
    { ...expired, attempt: attempt(12) },
    answer(null, 25_000),
    { ...expired, attempt: undefined },
  ],
  [
    'expired: the element stays expired and stops polling after a permanent failure',
    expired,
    fail(tokenExpired),
    { ...expired, attempt: undefined },
  ],

  [
    'loading: the element records that the server offers the authorization in WeChat',
    loading,
    answer({ ...ticketView, oauth: true }),
    { ...oneTap, attempt: firstAttempt },
  ],
  ['authorize: the element requests the URL of WeChat', oneTap, { type: 'authorize' }, leaving],
  [
    'authorize: the element removes the previous failure',
    { ...oneTap, failure: temporary },
    { type: 'authorize' },
    leaving,
  ],
  ['authorize: nothing changes while the element requests the URL', leaving, { type: 'authorize' }, 'same'],
  ['authorize: nothing changes when the server does not offer the authorization', ready, { type: 'authorize' }, 'same'],
  ['authorize: nothing changes in a bound element', bound, { type: 'authorize' }, 'same'],
  [
    'authorize: the user can authorize again after the page has opened WeChat',
    leaving,
    answer(null),
    { ...oneTap, attempt: attempt(1, 0, 1960) },
  ],
  [
    'authorize: the user can authorize again after a failure, and the element displays the failure',
    leaving,
    fail(permanent),
    { ...oneTap, failure: permanent },
  ],
  ['authorize: a wake does not repeat the request', leaving, wake(), 'same'],
  [
    'returned: the element asks the server to confirm the proof',
    initialState,
    { type: 'returned', proof: 'p' },
    proving,
  ],
  [
    'returned: the element asks the server to confirm the proof after an error because of a missing token',
    { ...permanentError, isUnstarted: true },
    { type: 'returned', proof: 'p' },
    proving,
  ],
  [
    'returned: the element displays that the user has declined',
    initialState,
    { type: 'returned', error: declined },
    { ...laterError, error: declined },
  ],
  ['proof: the element becomes bound with `initial: false`', proving, answer(boundView), bound],
  ['proof: the element becomes scanned when a scan waits for confirmation', proving, answer(scannedView), scanned],
  [
    'proof: the element requests a QR code when the user has been unbound since the proof',
    proving,
    answer({ state: 'unbound', version: 20 }),
    reloading,
  ],
  ['proof: the element displays a conflict', proving, fail(conflict), { ...laterError, error: conflict }],
  [
    'proof: the element displays that the proof has expired',
    proving,
    fail(proofExpired),
    { ...laterError, error: proofExpired },
  ],
  [
    'proof: the element sends the proof again after a temporary failure',
    proving,
    fail(temporary),
    { ...proving, attempt: attempt(1, 1, 500) },
  ],
  [
    'proof: the element requests its state when an earlier request with the proof may have succeeded',
    { ...proving, attempt: attempt(1, 1, 500) },
    fail(proofExpired),
    reloading,
  ],
  ['proof: a wake does not send the proof a second time', proving, wake(), 'same'],
  ['proof: a token of another user does not send the proof a second time', proving, otherToken, 'same'],
  [
    'loading: the element becomes bound when the user does not follow the account',
    loading,
    answer({ ...boundView, subscribed: false, follow: followQr }),
    { ...unfollowed, initial: true },
  ],
  [
    'bound: the element keeps the QR code for following the account while the user does not follow it',
    unfollowed,
    answer({ ...boundView, version: 20, subscribed: false }),
    { ...unfollowed, version: 20 },
  ],
  [
    'bound: the element removes the QR code for following the account when the user follows it',
    unfollowed,
    answer({ ...boundView, version: 20 }),
    { ...bound, version: 20 },
  ],

  ['token: the element requests a QR code after a token error', tokenError, { type: 'token' }, loading],
  [
    'token: a restart after a later token error keeps `initial: false`',
    { ...tokenError, initial: false },
    { type: 'token' },
    reloading,
  ],
  ['token: a bound element polls again', notPolling, { type: 'token' }, { ...bound, failure: undefined }],
  ['token: nothing changes in the state `ready`', ready, { type: 'token' }, 'same'],
  [
    'token: nothing changes after a code that the element could not send without a token',
    { ...asked, failure: noToken },
    { type: 'token' },
    'same',
  ],
  ['token: nothing changes after an error that another token cannot solve', permanentError, { type: 'token' }, 'same'],
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

  test('returns a state for every event in every state, and never changes its argument', () => {
    for (const state of states) {
      for (const event of events) expect(reduce(freeze(state), event).name).toBeTypeOf('string')
    }
  })

  test('returns a state with a new effect when the element must send another request', () => {
    for (const event of [fail(temporary), answer(null, 0), wake()]) {
      for (const state of [ready, scanned, bound]) {
        expect(effectOf(reduce(state, event), { watch: true })).not.toBe(effectOf(state, { watch: true }))
      }
    }
  })
})

describe('a refused scan', () => {
  const refused = { state: 'unbound', version: 18, notice: 'conflict' } as const

  test('leaves the QR code unchanged and is mentioned for a minute', () => {
    expect(reduce(ready, answer(refused))).toEqual({
      ...ready,
      version: 18,
      attempt: attempt(1),
      refused: { notice: 'conflict', until: 61_000 },
    })
  })

  test('causes a new request for the QR code when there was another change before the scan', () => {
    expect(reduce(ready, answer({ ...refused, version: 19 }))).toEqual(reloading)
  })

  test('is mentioned with the QR code that the element requests after the scan', () => {
    const view = { ...ticketView, notice: 'expired_scan' } as const
    expect(reduce(loading, answer(view))).toMatchObject({ refused: { notice: 'expired_scan', until: 61_000 } })
  })
})

describe('a page without a token or a source of tokens', () => {
  const missing = new BindError('NO_TOKEN', 'm')

  test('causes an error that lasts until the page sets a token', () => {
    const state = reduce(initialState, fail(missing))
    expect(state).toEqual({ name: 'error', error: missing, initial: true, isUnstarted: true })
    expect(reduce(state, { type: 'token' })).toBe(initialState)
  })
})

describe('the button of a closed dialog', () => {
  test('changes its state only when a WeChat is bound', () => {
    expect(reduce(initialState, answer({ state: 'unbound', version: 3 }))).toBe(initialState)
    expect(reduce(initialState, answer(boundView))).toEqual({ ...bound, initial: true })
    expect(reduce(initialState, fail(temporary))).toBe(initialState)
  })
})
