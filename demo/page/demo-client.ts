/**
 * The client of the demo's API, for the conditions and the event stream. Each request names the visitor of this page.
 */
import type { DemoView } from '../demo-api.ts'
import type { WireEntry } from '../simulator/traffic-log.ts'
import type { SimulatorView } from '../simulator/views.ts'
import { visitorPath } from './visitor.ts'

/** `now` is the time of the demo's clock in ms. */
export type DemoAnswer = { view: DemoView; now: number }

/** Reads the conditions. Returns undefined when the demo does not answer. */
export const getConditions = (): Promise<DemoAnswer | undefined> => request()

/** Sets the given conditions of this visitor and resets the others. Returns undefined when the demo does not answer. */
export const putConditions = (given: Record<string, string>): Promise<DemoAnswer | undefined> =>
  request({ method: 'PUT', body: JSON.stringify(given), headers: { 'Content-Type': 'application/json' } })

async function request(init?: RequestInit): Promise<DemoAnswer | undefined> {
  const response = await fetch(`${visitorPath}/demo/conditions`, init).catch(() => undefined)
  if (!response?.ok) return undefined
  return { view: await response.json(), now: Number(response.headers.get('Demo-Now')) }
}

/** Binds this person's WeChat to another user. */
export async function bindToOtherUser(person: string): Promise<void> {
  await fetch(`${visitorPath}/demo/taken/${person}`, { method: 'POST' }).catch(() => {})
}

type DemoListener = {
  onDemo(view: DemoView): void
  onSimulator(view: SimulatorView): void
  onWire(entries: WireEntry[]): void
  /** Runs when the connection is lost. The stream then reconnects by itself. */
  onLost(): void
}

// The pause before the stream reconnects. A browser makes the same pause for an EventSource.
const RETRY_MS = 3_000

/**
 * A hidden page closes its stream. A browser allows only six connections to one HTTP/1.1 server, and the element in
 * each tab needs one of them.
 */
export function watchDemo({ onDemo, onSimulator, onWire, onLost }: DemoListener): void {
  let stream: EventSource | undefined
  let known = 0
  const connect = () => {
    stream?.close()
    if (document.hidden) return
    stream = new EventSource(`${visitorPath}/demo/stream?since=${known}`)
    stream.addEventListener('demo', ({ data }) => onDemo(JSON.parse(data)))
    stream.addEventListener('simulator', ({ data }) => onSimulator(JSON.parse(data)))
    stream.addEventListener('wire', ({ data }) => {
      const entries: WireEntry[] = JSON.parse(data)
      known = Math.max(...entries.map(({ revision }) => revision))
      onWire(entries)
    })
    stream.addEventListener('error', ({ target }) => {
      onLost()
      // The stream must reconnect here, because a demo that is starting answers 503, and a browser does not reconnect
      // by itself after an error status.
      if ((target as EventSource).readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS)
    })
  }
  document.addEventListener('visibilitychange', connect)
  connect()
}
