/** The demo behind the page: its conditions, and the one stream of all that changes. */
import type { DemoView } from '../demo-api.ts'
import type { SimulatorView } from '../simulator/control-api.ts'
import type { WireEntry } from '../simulator/traffic-log.ts'

/** Makes the conditions as named; what is not named becomes as usual. Undefined when the demo does not answer. */
export async function putConditions(given: Record<string, string>): Promise<DemoView | undefined> {
  const init = { method: 'PUT', body: JSON.stringify(given), headers: { 'Content-Type': 'application/json' } }
  const response = await fetch('demo/conditions', init).catch(() => undefined)
  return response?.ok ? response.json() : undefined
}

/** Sees to it that this person's WeChat is another user's. */
export async function takeWechat(person: string): Promise<void> {
  await fetch(`demo/taken/${person}`, { method: 'POST' }).catch(() => {})
}

type DemoListener = {
  onDemo(view: DemoView): void
  onSimulator(view: SimulatorView): void
  onWire(entries: WireEntry[]): void
  /** The demo is gone; the stream goes on by itself once it is back. */
  onLost(): void
}

// As long as a browser waits by itself before it tries again.
const RETRY_MS = 3_000

/** A hidden page gives its connection back: a browser has six for one server, and each tab's element holds one of them. */
export function watchDemo({ onDemo, onSimulator, onWire, onLost }: DemoListener): void {
  let stream: EventSource | undefined
  let known = 0
  const follow = () => {
    stream?.close()
    if (document.hidden) return
    stream = new EventSource(`demo/stream?since=${known}`)
    stream.addEventListener('demo', ({ data }) => onDemo(JSON.parse(data)))
    stream.addEventListener('simulator', ({ data }) => onSimulator(JSON.parse(data)))
    stream.addEventListener('wire', ({ data }) => {
      const entries: WireEntry[] = JSON.parse(data)
      known = Math.max(...entries.map(({ revision }) => revision))
      onWire(entries)
    })
    stream.addEventListener('error', ({ target }) => {
      onLost()
      // A demo that is still starting answers 503, and a browser does not ask again after that.
      if ((target as EventSource).readyState === EventSource.CLOSED) setTimeout(follow, RETRY_MS)
    })
  }
  document.addEventListener('visibilitychange', follow)
  follow()
}
