/** Runs the one effect that the state names and aborts the one before: the only place where the element waits for anything. */
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import type { BindingView, QrcodeView } from '../server/wire.ts'
import { BindError } from './bind-error.ts'
import type { Client } from './client.ts'
import { browserClock, type Clock } from './clock.ts'
import { type Effect, effectOf, initialState, type MachineEvent, reduce, type State } from './machine.ts'

/** The element, as far as the controller is concerned: what the page wishes, and who is told of changes. */
export type BindHost = ReactiveControllerHost &
  Element & {
    readonly manual: boolean
    readonly watch: boolean
    readonly refreshMode: 'auto' | 'manual'
    /** Whether a request could be made at all. */
    readonly canStart: boolean
    stateChanged(state: State, previous: State, event: MachineEvent): void
  }

const SECOND_MS = 1000
/** No page counts down seconds from an hour, and a timer of a month would fire at once. */
const HOUR_MS = 3600 * SECOND_MS

export class BindController implements ReactiveController {
  #state: State = initialState
  #effect: Effect = 'none'
  /** Ends the effect that runs. */
  #running = new AbortController()
  /** Ends everything that hangs on the page; undefined while the element is not in it. */
  #connected: AbortController | undefined
  #onScreen = false
  #queue: MachineEvent[] = []
  readonly #host: BindHost
  readonly #client: Client
  readonly #clock: Clock

  constructor(host: BindHost, client: Client, clock: Clock = browserClock) {
    this.#host = host
    this.#client = client
    this.#clock = clock
    host.addController(this)
  }

  get state(): State {
    return this.#state
  }

  /** Whole seconds until the QR on screen ends, rounded up; 0 when there is none. */
  get secondsLeft(): number {
    if (this.#state.name !== 'ready') return 0
    return Math.max(0, Math.ceil((this.#state.ticket.deadline - this.#clock.now()) / SECOND_MS))
  }

  /** Moves the state. An event raised while another is being told waits its turn, so that listeners see them in order. */
  dispatch(event: MachineEvent): void {
    if (this.#queue.push(event) > 1) return
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      this.#apply(next)
      this.#queue.shift()
    }
  }

  hostConnected(): void {
    this.#connected = new AbortController()
    const { signal } = this.#connected
    // What runs depends on being seen: a hidden tab neither asks nor keeps the other tabs from asking.
    document.addEventListener('visibilitychange', () => (isVisible() ? this.wake() : this.#follow()), { signal })
    addEventListener('pageshow', ({ persisted }) => persisted && this.wake(), { signal })
    addEventListener('online', () => this.wake(), { signal })
    addEventListener('offline', () => this.dispatch({ type: 'offline' }), { signal })
    this.#awaitScreen(signal)
    this.wake()
  }

  hostDisconnected(): void {
    this.#connected?.abort()
    this.#connected = undefined
    this.#onScreen = false
    this.#follow()
  }

  hostUpdate(): void {
    this.#appear()
    this.#follow()
  }

  #apply(event: MachineEvent): void {
    const previous = this.#state
    this.#state = reduce(previous, event)
    if (this.#state === previous) return
    this.#follow()
    this.#host.requestUpdate()
    this.#host.stateChanged(this.#state, previous, event)
  }

  #follow(): void {
    const { watch } = this.#host
    const effect = this.#connected ? effectOf(this.#state, { watch, visible: isVisible() }) : 'none'
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
    const view = await this.#ask(state, signal)
    const now = this.#clock.now()
    return { type: 'answered', view, now, tookMs: now - askedAt }
  }

  #ask(state: State, signal: AbortSignal): Promise<QrcodeView | BindingView | null> {
    const client = this.#client
    if (state.name === 'loading') return client.createQrcode(state.replace, signal)
    if (state.name === 'scanned' && state.code) return client.confirm(state.code, signal)
    if (state.name === 'bound' && state.unbinding) return client.unbind(signal)
    return client.waitPast('version' in state ? state.version : 0, signal)
  }

  /** Ticks once a second, for the eye, and ends the QR on time. */
  async #countDown(deadline: number, signal: AbortSignal): Promise<void> {
    try {
      for (let left = deadline - this.#clock.now(); left > 0; left = deadline - this.#clock.now()) {
        const step = left > HOUR_MS ? HOUR_MS : SECOND_MS
        await this.#clock.sleep(left % step || step, signal)
        this.#host.requestUpdate()
      }
      this.wake()
    } catch {
      // Aborted: the state has moved on.
    }
  }

  #toFailure(cause: unknown): MachineEvent {
    const error = cause instanceof BindError ? cause : new BindError('INTERNAL', String(cause), { cause })
    // What the user of a bound element asked for is refused; the rest waits for the network.
    const isCutOff = !navigator.onLine && ['NETWORK', 'NO_TOKEN'].includes(error.code)
    if (isCutOff && this.#state.name !== 'bound') return { type: 'offline' }
    return { type: 'failed', error, random: this.#clock.random() }
  }

  /** Looks anew at once; `isOther`: the token may have become another user's. */
  wake(isOther = false): void {
    const auto = this.#host.refreshMode !== 'manual' && isVisible()
    this.dispatch({ type: 'wake', now: this.#clock.now(), auto, isOther })
    this.#follow()
  }

  /** An element below the fold costs nothing until it is scrolled to. */
  #awaitScreen(signal: AbortSignal): void {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return
      observer.disconnect()
      this.#onScreen = true
      this.#appear()
    })
    observer.observe(this.#host)
    signal.addEventListener('abort', () => observer.disconnect())
  }

  #appear(): void {
    const { manual, canStart } = this.#host
    if (this.#onScreen && !manual && canStart && this.#state === initialState) this.dispatch({ type: 'start' })
  }
}

function isVisible(): boolean {
  return document.visibilityState === 'visible'
}
