/**
 * The bind server inside the demo. A bind server reads its settings only at the start, so the demo starts a new server
 * for each change of a setting. The new server opens the same store and receives all new requests. The old server
 * closes after its last response.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hono } from 'hono'
import { createApp } from '../server/app.ts'
import type { Config } from '../server/config/config.ts'
import type { Deps } from '../server/deps.ts'
import { type OpenApp, type Overrides, openApp } from '../server/open-app.ts'
import { createLoadBalancer } from './load-balancer.ts'

export type BindServer = {
  /** Passes the request to one of the instances, each in turn. */
  fetch(request: Request, bindings?: object): Promise<Response>
  deps(): Deps
  replace(config: Config, overrides: Overrides): Promise<void>
  stopWaiting(): void
  close(): Promise<void>
}

export type BindServerOptions = {
  instances: number
  /** Replaces some dependencies of an instance. */
  adapt: (deps: Deps, config: Config) => Deps
}

type Generation = { opened: OpenApp[]; app: Hono; pendingRequests: number }

const IDLE_CHECK_MS = 20

export async function createBindServer(
  config: Config,
  overrides: Overrides,
  { instances, adapt }: BindServerOptions,
): Promise<BindServer> {
  const closings = new Set<Promise<void>>()
  let current = await open(config, overrides)

  async function open(config: Config, overrides: Overrides): Promise<Generation> {
    const opened = await Promise.all(Array.from({ length: instances }, () => openApp(config, overrides)))
    const apps = opened.map(({ deps }) => createApp(adapt(deps, config)))
    return { opened, app: apps.length > 1 ? createLoadBalancer(apps) : apps[0]!, pendingRequests: 0 }
  }

  async function closeWhenIdle(generation: Generation): Promise<void> {
    for (const { stopWaiting } of generation.opened) stopWaiting()
    while (generation.pendingRequests > 0) await sleep(IDLE_CHECK_MS)
    await Promise.all(generation.opened.map(({ close }) => close()))
  }

  return {
    async fetch(request, bindings) {
      const generation = current
      generation.pendingRequests += 1
      try {
        return await generation.app.fetch(request, bindings)
      } finally {
        generation.pendingRequests -= 1
      }
    },
    deps: () => current.opened[0]!.deps,
    async replace(config, overrides) {
      const old = current
      current = await open(config, overrides)
      const closing = closeWhenIdle(old).finally(() => closings.delete(closing))
      closings.add(closing)
    },
    stopWaiting() {
      for (const { stopWaiting } of current.opened) stopWaiting()
    },
    async close() {
      await Promise.all(closings)
      await closeWhenIdle(current)
    },
  }
}
