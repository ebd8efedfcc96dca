/** The client of the demo's API: conditions and the event stream. Its requests belong to the visitor of this page. */
import type { DemoView } from '../demo-api.ts'
import type { WireEntry } from '../simulator/traffic-log.ts'
import type { SimulatorView } from '../simulator/views.ts'
import { visitorPath } from './visitor.ts'

/** `now`: the demo's clock in ms. */
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
  /** The connection is lost; the stream reconnects by itself. */
  onLost(): void
}

// A browser makes the same pause before it reconnects an EventSource.
const RETRY_MS = 3_000

/** A hidden page closes its stream, because a browser allows six connections to one HTTP/1.1 server, and each tab's element needs one of them. */
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
      // A demo that is starting answers 503. A browser does not reconnect by itself after an error status.
      if ((target as EventSource).readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS)
    })
  }
  document.addEventListener('visibilitychange', connect)
  connect()
}
