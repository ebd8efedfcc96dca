/**
 * Decides which conditions apply to a request of the demo. A visitor is a browser tab with an id. The page puts the id
 * in front of its paths (`/visitor/<id>/…`), including the paths that the element requests. While the demo handles such
 * a request, an `AsyncLocalStorage` holds the id, so the callback after a scan has the same conditions. Programs send
 * requests without an id. Such a request sets the conditions for everyone. Node only.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, Hono } from 'hono'
import { type Conditions, differences } from './conditions.ts'
import type { CurrentConditions } from './current-conditions.ts'

/** The conditions of one visitor or of everyone, and the servers to which these conditions apply. */
export type Room = CurrentConditions & { stopWaiting(): void; close(): Promise<void> }

type VisitorsDeps<R extends Room> = {
  /** The room of all visitors that have not set conditions. */
  shared: R
  /**
   * Opens a room for one visitor. `path` is the visitor's prefix. Without this function, all visitors share one room.
   */
  openRoom: ((path: string, conditions: Conditions) => Promise<R>) | undefined
}

// The maximum number of rooms. The number is limited because each room has its own bind server.
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
    /** Returns the room of the visitor who sent the current request. */
    room,
    all: (): R[] => [shared, ...rooms.values()],
    /** Sets the conditions of the visitor who sent the current request. Without a visitor, sets them for everyone and closes all rooms. */
    set(next: Conditions): Promise<void> {
      const id = visitor.getStore()
      lastChange = lastChange.catch(() => {}).then(() => change(id, next))
      return lastChange
    },
    /** Removes the visitor's prefix from the path of a request and passes the request to `inside`. */
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
