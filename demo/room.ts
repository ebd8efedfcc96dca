/**
 * A room is a bind server with its conditions, a faulty proxy in front of it, the faults of WeChat and the host site's
 * client. All visitors share one room. A visitor who sets conditions gets a separate room. All rooms use the same
 * store.
 */
import { type BindClient, createBindClient } from '../server/client.ts'
import type { Overrides } from '../server/open-app.ts'
import type { CommitNotice, Store } from '../server/store/store.ts'
import type { BindConfig } from './bind-config.ts'
import { type BindServer, type BindServerOptions, createBindServer } from './bind-server.ts'
import { type Conditions, needsNewServer } from './conditions.ts'
import { createCurrentConditions } from './current-conditions.ts'
import { createFaultyProxy } from './faulty-proxy.ts'
import { createFlakyStore } from './flaky-store.ts'
import type { Delay, Faults } from './simulator/faults.ts'
import { withOtherOwner } from './test-users.ts'
import type { Room } from './visitors.ts'
import { applyToWechat } from './wechat-conditions.ts'

export type DemoRoom = Room &
  Pick<BindServer, 'fetch' | 'deps'> & {
    /** The URL of the bind server, with the visitor's prefix. */
    url: string
    /** The faults of the simulated WeChat. */
    faults: Faults
    /** The client of the host site's back end. */
    client: BindClient
    /** Notifies the server of this room about a commit in another room. SQLite itself sends no notifications. */
    wake(notice: CommitNotice): void
  }

export type RoomOptions = {
  /** The demo's URL. */
  url: string
  /** The prefix of the visitor's paths, or an empty text. */
  path: string
  conditions: Conditions
  faults: Faults
}

export type RoomDeps = {
  bindConfig: BindConfig
  overrides: Pick<Overrides, 'log' | 'allowsTestUsers' | 'fetch'>
  serverOptions: BindServerOptions
  webhookSecret: string
  delay: Delay
  signal: AbortSignal
  /** Called after a commit in this room. */
  onCommit: (notice: CommitNotice, room: DemoRoom) => void
  /** Called after a change of the conditions. */
  onChange: (conditions: Conditions) => void
}

const CLOCK_MS = { right: 0, ahead: 600_000, behind: -600_000 }

export async function openDemoRoom(
  { url, path, conditions: atStart, faults }: RoomOptions,
  deps: RoomDeps,
): Promise<DemoRoom> {
  const { bindConfig, delay, signal } = deps
  const proxy = createFaultyProxy({ delay, signal })
  const configWith = (next: Conditions) => bindConfig.withConditions(url, next, path)
  /** The current server listens to commits, so that it can answer waiting pages and send webhooks. */
  let listeners = new Set<(notice: CommitNotice) => void>()

  const overridesWith = ({ clock, conflict }: Conditions): Overrides => ({
    ...deps.overrides,
    clock: () => Date.now() + CLOCK_MS[clock],
    wrapStore(store: Store) {
      store.onCommit((notice) => deps.onCommit(notice, room))
      const flaky = createFlakyStore(store, { health: () => conditions.current().store, delay, signal })
      const added = new Set<(notice: CommitNotice) => void>()
      listeners = added
      const heard: Store = {
        ...flaky,
        onCommit(listener) {
          added.add(listener)
          return flaky.onCommit(listener)
        },
      }
      return conflict === 'reject' ? withOtherOwner(heard) : heard
    },
  })

  const conditions = createCurrentConditions(atStart, async (next, before) => {
    if (needsNewServer(next, before)) await bindServer.replace(configWith(next), overridesWith(next))
    apply(next)
  })

  function apply(next: Conditions): void {
    proxy.set(next.server)
    applyToWechat(faults, next)
    deps.onChange(next)
  }

  const bindServer = await createBindServer(configWith(atStart), overridesWith(atStart), deps.serverOptions)
  const { kid, secret } = bindConfig.at(url).keys[0]!

  const room: DemoRoom = {
    ...conditions,
    url: url + path,
    fetch: (request, bindings) => proxy.forward(() => bindServer.fetch(request, bindings)),
    deps: bindServer.deps,
    faults,
    client: createBindClient({ server: url + path, keyId: kid, key: secret, webhookSecret: deps.webhookSecret }),
    wake(notice) {
      for (const listener of listeners) listener(notice)
    },
    stopWaiting: bindServer.stopWaiting,
    async close() {
      await conditions.settled()
      await bindServer.close()
    },
  }
  apply(atStart)
  return room
}
