/** What the QA page and tests set and see of the demo: `/demo/conditions`, and one stream with all that changes. */
import { type Context, Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { type Conditions, faultIn, toConditions } from './conditions.ts'
import type { Changes } from './simulator/change-listeners.ts'
import type { SimulatorView } from './simulator/control-api.ts'
import type { Wire } from './simulator/traffic-log.ts'

/** `isReal`: WeChat is Tencent's and not the simulator, so that nothing of it can be set. */
export type DemoView = { conditions: Conditions; usual: Conditions; isReal: boolean }

type DemoControlDeps = {
  view: () => DemoView
  simulatorView: () => SimulatorView
  set: (conditions: Conditions) => Promise<void>
  /** Sees to it that the WeChat of this person is another user's. */
  takeWechat: (person: string) => Promise<void>
  changes: Changes
  wire: Wire
  signal: AbortSignal
}

// Shorter than the 30 s after which a proxy may take a silent stream for dead.
const HEARTBEAT_MS = 20_000

export function createDemoControl(deps: DemoControlDeps): Hono {
  const { view, set, takeWechat, wire } = deps
  return (
    new Hono()
      .get('/conditions', (c) => c.json(view()))
      /** What is left out becomes as usual. */
      .put('/conditions', async (c) => {
        const given = await c.req.json().catch(() => undefined)
        const fault = faultIn(given)
        if (fault !== undefined) return c.json({ detail: fault }, 400)
        await set(toConditions(given, view().usual))
        return c.json(view())
      })
      .post('/taken/:person', async (c) => {
        await takeWechat(c.req.param('person')).catch(() => {})
        return c.body(null, 204)
      })
      .get('/wire', (c) => c.json({ entries: wire.since(sinceOf(c)) }))
      .get('/stream', (c) => streamSSE(c, (stream) => follow(stream, sinceOf(c), deps)))
  )
}

const sinceOf = (c: Context) => Number(c.req.query('since') ?? 0) || 0

/** Sends what is, then what changes, until the page or the demo goes; a slow reader gets several changes as one. */
async function follow(stream: SSEStreamingApi, since: number, deps: DemoControlDeps): Promise<void> {
  const { view, simulatorView, changes, wire, signal } = deps
  let known = since
  const sent = new Map<string, string>()
  let wake = () => {}
  const unwatch = [changes.watch(() => wake()), wire.watch(() => wake())]
  const heartbeat = setInterval(() => void stream.write(':\n\n'), HEARTBEAT_MS)
  const ended = new Promise<'ended'>((resolve) => {
    stream.onAbort(() => resolve('ended'))
    signal.addEventListener('abort', () => resolve('ended'), { once: true })
  })

  async function send(event: string, value: unknown): Promise<void> {
    const data = JSON.stringify(value)
    if (sent.get(event) === data) return
    sent.set(event, data)
    await stream.writeSSE({ event, data })
  }

  for (let isOpen = !signal.aborted; isOpen; ) {
    const changed = new Promise<'changed'>((resolve) => {
      wake = () => resolve('changed')
    })
    await send('demo', view())
    await send('simulator', simulatorView())
    const entries = wire.since(known)
    if (entries.length > 0) {
      known = Math.max(...entries.map(({ revision }) => revision))
      await stream.writeSSE({ event: 'wire', data: JSON.stringify(entries) })
    }
    isOpen = (await Promise.race([changed, ended])) === 'changed'
  }
  clearInterval(heartbeat)
  for (const end of unwatch) end()
}
