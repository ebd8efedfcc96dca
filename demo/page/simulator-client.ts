/** The simulated WeChat as the page sees it: its control API and its stream of states. */
import type { ScanView, SimulatorView } from '../simulator/control.ts'

const BASE = 'simulator/control'

async function post(path: string, body?: object): Promise<Response> {
  const json = body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {}
  const response = await fetch(`${BASE}/${path}`, { method: 'POST', ...json })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return response
}

export type PhoneClient = ReturnType<typeof createPhoneClient>

/** One person's gestures. Each resolves when WeChat has taken it; what comes of it arrives by the stream. */
export function createPhoneClient(person: string) {
  const gesture = async (name: string, body?: object): Promise<void> => {
    await post(`phones/${person}/${name}`, body)
  }
  return {
    async scan(url: string): Promise<ScanView> {
      return (await post(`phones/${person}/scan`, { url })).json()
    },
    follow: () => gesture('follow'),
    unfollow: () => gesture('unfollow'),
    sendText: (content: string) => gesture('text', { content }),
    tap: (href: string) => gesture('tap', { href }),
  }
}

/**
 * Calls back with the state now and after each change. A hidden page gives its connection back: a browser has
 * six for one server, and each tab's element holds one of them.
 */
export function watchSimulator(onState: (view: SimulatorView) => void): void {
  let stream: EventSource | undefined
  const follow = () => {
    stream?.close()
    if (document.hidden) return
    stream = new EventSource(`${BASE}/stream`)
    stream.onmessage = ({ data }) => onState(JSON.parse(data))
  }
  document.addEventListener('visibilitychange', follow)
  follow()
}
