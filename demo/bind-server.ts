/**
 * The bind server inside the demo. A setting that a real one reads at its start is changed as an operator would: a new one
 * is opened over the same store, takes over, and the old one ends when its last request is answered.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hono } from 'hono'
import { createApp } from '../server/app.ts'
import type { Config } from '../server/config/config.ts'
import type { Deps } from '../server/deps.ts'
import { type OpenApp, type Overrides, openApp } from '../server/open-app.ts'
import { createRoundRobin } from './load-balancer.ts'

type BindServer = {
  /** One of the instances, in turn. */
  fetch(request: Request, bindings?: object): Promise<Response>
  deps(): Deps
  replace(config: Config, overrides: Overrides): Promise<void>
  stopWaiting(): void
  close(): Promise<void>
}

type BindServerOptions = {
  instances: number
  /** What the demo puts in the place of single parts. */
  adapt: (deps: Deps, config: Config) => Deps
}

type Generation = { opened: OpenApp[]; front: Hono; underway: number }

const IDLE_CHECK_MS = 20

export async function createBindServer(
  config: Config,
  overrides: Overrides,
  { instances, adapt }: BindServerOptions,
): Promise<BindServer> {
  const endings = new Set<Promise<void>>()
  let current = await open(config, overrides)

  async function open(config: Config, overrides: Overrides): Promise<Generation> {
    const opened = await Promise.all(Array.from({ length: instances }, () => openApp(config, overrides)))
    const apps = opened.map(({ deps }) => createApp(adapt(deps, config)))
    return { opened, front: apps.length > 1 ? createRoundRobin(apps) : apps[0]!, underway: 0 }
  }

  async function end(generation: Generation): Promise<void> {
    for (const { stopWaiting } of generation.opened) stopWaiting()
    while (generation.underway > 0) await sleep(IDLE_CHECK_MS)
    await Promise.all(generation.opened.map(({ close }) => close()))
  }

  return {
    async fetch(request, bindings) {
      const generation = current
      generation.underway += 1
      try {
        return await generation.front.fetch(request, bindings)
      } finally {
        generation.underway -= 1
      }
    },
    deps: () => current.opened[0]!.deps,
    async replace(config, overrides) {
      const old = current
      current = await open(config, overrides)
      const ending = end(old).finally(() => endings.delete(ending))
      endings.add(ending)
    },
    stopWaiting() {
      for (const { stopWaiting } of current.opened) stopWaiting()
    },
    async close() {
      await Promise.all(endings)
      await end(current)
    },
  }
}
