/**
 * The visitors of the demo, and whose conditions apply. A page has the id of its visitor and puts it in front of its paths
 * (`/visitor/<id>/…`), also of those that the element requests. What happens while such a request is handled, such as a callback after
 * a scan, belongs to the visitor as well: an `AsyncLocalStorage` carries the id. A request without an id, which a program sends,
 * belongs to nobody and sets the conditions for everyone. Node only.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, Hono } from 'hono'
import { type Conditions, differences } from './conditions.ts'
import type { CurrentConditions } from './current-conditions.ts'

/** The conditions of a visitor, and what they apply to. */
export type Room = CurrentConditions & { stopWaiting(): void; close(): Promise<void> }

type VisitorsDeps<R extends Room> = {
  /** The conditions of everyone without conditions of their own. */
  shared: R
  /** Opens what a visitor with these conditions needs; `path` is the visitor's prefix. Undefined: no visitor has any. */
  openRoom: ((path: string, conditions: Conditions) => Promise<R>) | undefined
}

// Each room has a bind server of its own.
const MAX_ROOMS = 20

const PREFIX = /^\/visitor\/([\w-]{8,64})(\/.*)$/s

export function createVisitors<R extends Room>({ shared, openRoom }: VisitorsDeps<R>) {
  const visitor = new AsyncLocalStorage<string>()
  const rooms = new Map<string, R>()
  const closings = new Set<Promise<void>>()
  let lastChange: Promise<void> = Promise.resolve()

  const room = (): R => rooms.get(visitor.getStore() ?? '') ?? shared

  function closeRoom(id: string): void {
    const closed = rooms.get(id)
    if (!closed) return
    rooms.delete(id)
    closed.stopWaiting()
    const closing = closed.close().finally(() => closings.delete(closing))
    closings.add(closing)
  }

  async function change(id: string | undefined, next: Conditions): Promise<void> {
    if (id === undefined || !openRoom) {
      for (const other of [...rooms.keys()]) closeRoom(other)
      return shared.set(next)
    }
    const own = rooms.get(id)
    if (own) return own.set(next)
    if (differences(next, shared.current()).length === 0) return
    const [oldest] = rooms.keys()
    if (oldest !== undefined && rooms.size >= MAX_ROOMS) closeRoom(oldest)
    rooms.set(id, await openRoom(`/visitor/${id}`, next))
  }

  return {
    /** The room of the present visitor. */
    room,
    all: (): R[] => [shared, ...rooms.values()],
    /** Sets the present visitor's conditions. Outside of a visit: everyone's, and visitors lose theirs. */
    set(next: Conditions): Promise<void> {
      const id = visitor.getStore()
      lastChange = lastChange.catch(() => {}).then(() => change(id, next))
      return lastChange
    },
    /** Runs `inside` for the visitor in the path, without the prefix. Other paths are left to it as they are. */
    routes: (inside: Hono): Hono =>
      new Hono().all('*', (c: Context) => {
        const url = new URL(c.req.url)
        const [, id, path = ''] = PREFIX.exec(url.pathname) ?? []
        if (id === undefined) return inside.fetch(c.req.raw, c.env)
        url.pathname = path
        return visitor.run(id, () => inside.fetch(new Request(url, c.req.raw), c.env))
      }),
    async close(): Promise<void> {
      await lastChange.catch(() => {})
      for (const id of [...rooms.keys()]) closeRoom(id)
      await Promise.all([...closings, shared.close()])
    },
  }
}
