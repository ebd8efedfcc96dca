/** The demo's HTTP API (`/demo/*`) for the QA page and tests: conditions, traffic log, and one event stream for all changes. */
import { type Context, Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { z } from 'zod'
import { type Conditions, describeInvalid, toConditions } from './conditions.ts'
import type { ChangeListeners } from './simulator/change-listeners.ts'
import type { TrafficLog } from './simulator/traffic-log.ts'
import type { SimulatorView } from './simulator/views.ts'
import { ACCOUNT } from './users.ts'

/**
 * `usual` contains the default conditions. `isReal` means that the demo uses a real WeChat account, for which it cannot
 * simulate faults.
 */
export type DemoView = { conditions: Conditions; usual: Conditions; isReal: boolean }

/** The header with the time of the demo's clock in ms. The page hides the traffic from before this time. */
const NOW_HEADER = 'Demo-Now'

type DemoApiDeps = {
  view: () => DemoView
  simulatorView: () => SimulatorView
  set: (conditions: Conditions) => Promise<void>
  /** Binds this person's WeChat to a user. Resolves with true if the binding exists afterwards. */
  bind: (person: string, user: { account: string; userId: string }) => Promise<boolean>
  /** Closes the WeChat accounts of these people, which ends their bindings. Resolves when the callbacks are answered. */
  forget: (people: string[]) => Promise<void>
  changes: ChangeListeners
  wire: TrafficLog
  signal: AbortSignal
}

const bindBody = z.strictObject({ account: z.string(), userId: z.string() })
const resetBody = z.strictObject({ people: z.array(z.string()).optional() })

// Some proxies close a stream that is silent for 30 s.
const HEARTBEAT_MS = 20_000

export function createDemoApi(deps: DemoApiDeps): Hono {
  const { view, simulatorView, set, bind, forget, wire } = deps
  return (
    new Hono()
      .get('/conditions', (c) => c.json(view(), 200, { [NOW_HEADER]: String(Date.now()) }))
      /** The request resets all conditions that its body does not name. */
      .put('/conditions', async (c) => {
        const given = await c.req.json().catch(() => undefined)
        const fault = describeInvalid(given)
        if (fault !== undefined) return c.json({ detail: fault }, 400)
        await set(toConditions(given, view().usual))
        return c.json(view(), 200, { [NOW_HEADER]: String(Date.now()) })
      })
      .post('/taken/:person', async (c) => {
        await bind(c.req.param('person'), { account: ACCOUNT, userId: 'someone-else' }).catch(() => {})
        return c.body(null, 204)
      })
      /** This endpoint is for the tests of other sites. It scans, follows and confirms in one call. */
      .post('/bind/:person', async (c) => {
        const user = bindBody.safeParse(await c.req.json().catch(() => undefined))
        if (!user.success) return c.json({ detail: z.prettifyError(user.error) }, 400)
        if (await bind(c.req.param('person'), user.data)) return c.body(null, 204)
        return c.json({ detail: 'The rules refuse this binding, or the user is bound to another WeChat.' }, 409)
      })
      /**
       * This endpoint ends the bindings of the people in the body. Without `people` it ends all bindings and resets the
       * conditions.
       */
      .post('/reset', async (c) => {
        const body = resetBody.safeParse(await c.req.json().catch(() => ({})))
        if (!body.success) return c.json({ detail: z.prettifyError(body.error) }, 400)
        const { people } = body.data
        if (!people) await set(view().usual)
        await forget(people ?? simulatorView().phones.map(({ person }) => person))
        return c.body(null, 204)
      })
      .get('/wire', (c) => c.json({ entries: wire.since(sinceOf(c)) }))
      .get('/stream', (c) => streamSSE(c, (stream) => sendChanges(stream, sinceOf(c), deps)))
  )
}

const sinceOf = (c: Context) => Number(c.req.query('since') ?? 0) || 0

/**
 * Sends the current state, and then every change until the page or the demo is closed. A slow client receives several
 * changes in one message.
 */
async function sendChanges(stream: SSEStreamingApi, since: number, deps: DemoApiDeps): Promise<void> {
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
