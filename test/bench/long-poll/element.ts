/** The element's own state machine without a browser: it decides when a page sends which request. */
import { setTimeout as delay } from 'node:timers/promises'
import type { BindingView, QrcodeView } from '../../../server/wire.ts'
import { BindError } from '../../../widget/bind-error.ts'
import { effectOf } from '../../../widget/effect.ts'
import { type MachineEvent, reduce } from '../../../widget/machine.ts'
import { parseResponse } from '../../../widget/response.ts'
import { hasRequest, initialState, type State } from '../../../widget/state.ts'

export type View = QrcodeView | BindingView | null

type ElementOptions = {
  /** Sends the request that the state requires. Rejects when there is no connection. */
  send: (state: State) => Promise<Response>
  random: () => number
  /** Called with the state after each event. */
  onState?: (state: State, event: MachineEvent) => void
  /** The pause before a request. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
  signal: AbortSignal
}

const sleepMs = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal })

/** Runs an element that is in view until it needs no request, for example because it is bound. Returns its last state. */
export async function runElement({
  send,
  random,
  onState = () => {},
  sleep = sleepMs,
  signal,
}: ElementOptions): Promise<State> {
  let state = reduce(initialState, { type: 'start' })
  const retry = { reconnectMs: 0, random }
  while (!signal.aborted && effectOf(state) !== 'none' && hasRequest(state)) {
    if (state.attempt.delayMs) await sleep(state.attempt.delayMs, signal).catch(() => {})
    if (signal.aborted) break
    const event = await eventOf(state, send, retry)
    if (signal.aborted) break
    state = reduce(state, event)
    onState(state, event)
  }
  return state
}

/** `reconnectMs`: the largest value of the header `Bind-Reconnect`, as in `widget/api-client.ts`. */
type Retry = { reconnectMs: number; random: () => number }

async function eventOf(state: State, send: ElementOptions['send'], retry: Retry): Promise<MachineEvent> {
  const askedAt = performance.now()
  try {
    const answer = await send(state).catch((cause) => {
      const retryAfterMs = retry.random() * retry.reconnectMs
      throw new BindError('NETWORK', 'No connection', { retryable: true, retryAfterMs, cause })
    })
    retry.reconnectMs = Math.max(retry.reconnectMs, Number(answer.headers.get('Bind-Reconnect')) * 1000)
    const view = (await parseResponse(answer)) as View
    const now = performance.now()
    return { type: 'answered', view, now, tookMs: now - askedAt }
  } catch (error) {
    return { type: 'failed', error: error as BindError, random: retry.random() }
  }
}
