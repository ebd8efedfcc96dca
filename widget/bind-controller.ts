/**
 * Runs the effect (request, poll or countdown) that the current state requires. When the state requires another effect, the
 * controller aborts the running one and starts the new one. All timers and requests of the element start here.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { BindingView, Notice, QrcodeView } from '../server/wire.ts'
import type { Client } from './api-client.ts'
import { BindError } from './bind-error.ts'
import { browserClock, type Clock } from './clock.ts'
import { type Effect, effectOf } from './effect.ts'
import { type MachineEvent, reduce } from './machine.ts'
import { initialState, type State } from './state.ts'
import { warnOnce } from './warn-once.ts'
import { claimReturn, receiveReturn } from './wechat-return.ts'

/** The part of the element that the controller uses: the page's settings and a callback for state changes. */
export type BindHost = ReactiveControllerHost &
  Element & {
    readonly manual: boolean
    /** Whether the element is the button of a closed dialog. */
    readonly isClosed: boolean
    readonly watch: boolean
    readonly refreshMode: 'auto' | 'manual'
    /** Whether the page has configured a token source. */
    readonly canStart: boolean
    stateChanged(state: State, previous: State, event: MachineEvent): void
  }

const SECOND_MS = 1000
/**
 * How long the element waits for a token before it reports an error. A page may set the token after the element is in
 * view.
 */
const TOKEN_GRACE_MS = 3 * SECOND_MS
/**
 * The longest step of the countdown, because a `setTimeout` above 2^31 ms (24.8 days) fires at once. If more than an
 * hour is left, the element displays no remaining time and needs no step per second.
 */
const HOUR_MS = 3600 * SECOND_MS
/** Events of the window. `visibilitychange` bubbles from the document. */
const PAGE_EVENTS = ['visibilitychange', 'pageshow', 'online', 'offline']

export class BindController implements ReactiveController {
  #state: State = initialState
  #effect: Effect = 'none'
  /** Aborts the running effect. */
  #running = new AbortController()
  #isConnected = false
  /** Becomes true in the first frame. At that time the page's scripts have run and have added their event listeners. */
  #isObserved = false
  #onScreen = false
  #screen: IntersectionObserver | undefined
  #queue: MachineEvent[] = []
  readonly #host: BindHost
  readonly #client: Client
  readonly #clock: Clock
  readonly #go: (url: string) => void

  /** `go` opens a URL in place of the page. */
  constructor(
    host: BindHost,
    client: Client,
    clock: Clock = browserClock,
    go: (url: string) => void = (url) => location.assign(url),
  ) {
    this.#host = host
    this.#client = client
    this.#clock = clock
    this.#go = go
    host.addController(this)
  }

  get state(): State {
    return this.#state
  }

  /** Seconds until the displayed QR code expires, rounded up; 0 without a QR code. */
  get secondsLeft(): number {
    if (this.#state.name !== 'ready') return 0
    return Math.max(0, Math.ceil((this.#state.ticket.deadline - this.#clock.now()) / SECOND_MS))
  }

  /** The refused scan that the card mentions. */
  get notice(): Notice | undefined {
    if (this.#state.name !== 'ready' || !this.#state.refused) return undefined
    const { notice, until } = this.#state.refused
    return this.#clock.now() < until ? notice : undefined
  }

  /** Applies an event to the state. An event dispatched by a listener is queued until all listeners have received the current event. */
  dispatch(event: MachineEvent): void {
    if (this.#queue.push(event) > 1) return
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      this.#apply(next)
      this.#queue.shift()
    }
  }

  hostConnected(): void {
    this.#isConnected = true
    receiveReturn()
    for (const type of PAGE_EVENTS) addEventListener(type, this)
    this.#observeScreen()
    this.wake()
  }

  hostDisconnected(): void {
    this.#isConnected = this.#isObserved = this.#onScreen = false
    for (const type of PAGE_EVENTS) removeEventListener(type, this)
    this.#screen?.disconnect()
    this.#updateEffect()
  }

  /**
   * Handles the events of the page. `persisted` is true when the browser has restored the page from its back/forward
   * cache.
   */
  handleEvent({ type, persisted = true }: Event & Partial<PageTransitionEvent>): void {
    if (type === 'offline') this.dispatch({ type })
    else if (persisted && isVisible()) this.wake()
    // A hidden tab sends no requests and releases the lock of the shared poll.
    this.#updateEffect()
  }

  hostUpdate(): void {
    this.#begin()
    this.#updateEffect()
  }

  #apply(event: MachineEvent): void {
    const previous = this.#state
    this.#state = reduce(previous, event)
    if (this.#state === previous) return
    this.#updateEffect()
    this.#host.requestUpdate()
    this.#host.stateChanged(this.#state, previous, event)
  }

  #updateEffect(): void {
    const { watch, canStart, isClosed } = this.#host
    const settings = {
      watch,
      visible: isVisible(),
      lacksToken: this.#onScreen && !canStart,
      looks: this.#onScreen && isClosed,
    }
    // The server accepts a proof only once. Therefore the request with the proof continues when the page moves or
    // removes the element.
    const isProving = this.#state.name === 'loading' && this.#state.proof
    const effect = this.#isConnected || isProving ? effectOf(this.#state, settings) : 'none'
    if (effect === this.#effect) return
    this.#effect = effect
    this.#running.abort()
    this.#running = new AbortController()
    if (effect === 'none') return
    const { signal } = this.#running
    if (this.#state.name === 'ready') this.#countDown(this.#state.ticket.deadline, signal)
    if (!effect.startsWith('count')) this.#run(signal)
  }

  async #run(signal: AbortSignal): Promise<void> {
    try {
      const event = await this.#request(this.#state, signal)
      if (!signal.aborted) this.dispatch(event)
    } catch (cause) {
      if (!signal.aborted) this.dispatch(this.#toFailure(cause))
    }
  }

  async #request(state: State, signal: AbortSignal): Promise<MachineEvent> {
    if ('attempt' in state && state.attempt?.delayMs) await this.#clock.sleep(state.attempt.delayMs, signal)
    const askedAt = this.#clock.now()
    const view = await this.#send(state, signal)
    const now = this.#clock.now()
    return { type: 'answered', view, now, tookMs: now - askedAt }
  }

  async #send(state: State, signal: AbortSignal): Promise<QrcodeView | BindingView | null> {
    const client = this.#client
    if (state.name === 'idle' && this.#effect === 'look') return client.look(signal)
    if (state.name === 'idle') {
      await this.#clock.sleep(TOKEN_GRACE_MS, signal)
      throw new BindError('NO_TOKEN', 'Set token, token-url or getToken')
    }
    if (state.name === 'loading') {
      return state.proof ? client.prove(state.proof, signal) : client.createQrcode(state.replace, signal)
    }
    if (state.name === 'ready' && state.isLeaving) {
      this.#go(await client.authorize(location.href, signal))
      return null
    }
    if (state.name === 'scanned' && state.code) return client.confirm(state.code, signal)
    if (state.name === 'bound' && state.unbinding) return client.unbind(signal)
    return client.waitPast('version' in state ? state.version : 0, signal)
  }

  /** Updates the displayed time every second and expires the QR code at its deadline. */
  async #countDown(deadline: number, signal: AbortSignal): Promise<void> {
    try {
      for (let left = deadline - this.#clock.now(); left > 0; left = deadline - this.#clock.now()) {
        const step = left > HOUR_MS ? HOUR_MS : SECOND_MS
        await this.#clock.sleep(left % step || step, signal)
        this.#host.requestUpdate()
      }
      this.wake()
    } catch {
      // The controller has aborted this countdown.
    }
  }

  #toFailure(cause: unknown): MachineEvent {
    const error = cause instanceof BindError ? cause : new BindError('INTERNAL', String(cause), { cause })
    // A bound element reports a failed request (unbind, poll) even while it is offline. In every other state the element waits for the network.
    const isCutOff = !navigator.onLine && ['NETWORK', 'NO_TOKEN'].includes(error.code)
    if (isCutOff && this.#state.name !== 'bound') return { type: 'offline' }
    if (['NO_TOKEN', 'BLOCKED'].includes(error.code)) warnOnce(`${error.code}: ${error.message}`)
    return { type: 'failed', error, random: this.#clock.random() }
  }

  /**
   * Repeats the request of the current state at once. `isOther` means that the token may now belong to another user.
   */
  wake(isOther = false): void {
    const auto = this.#host.refreshMode !== 'manual' && isVisible()
    this.dispatch({ type: 'wake', now: this.#clock.now(), auto, isOther })
    this.#updateEffect()
  }

  /** An element that was never in view requests no QR code. */
  #observeScreen(): void {
    this.#screen = new IntersectionObserver((entries, observer) => {
      this.#isObserved = true
      this.#onScreen = entries.some((entry) => entry.isIntersecting)
      if (this.#onScreen) observer.disconnect()
      this.#begin()
      this.#updateEffect()
    })
    this.#screen.observe(this.#host)
  }

  /** Continues after a return from WeChat, or starts the element when it is scrolled into view. */
  #begin(): void {
    const { manual, isClosed, canStart } = this.#host
    if (!this.#isObserved || !canStart) return
    const returned = claimReturn()
    if (returned) this.dispatch({ type: 'returned', ...returned })
    if (this.#onScreen && !manual && !isClosed && this.#state === initialState) this.dispatch({ type: 'start' })
  }
}

function isVisible(): boolean {
  return document.visibilityState === 'visible'
}
