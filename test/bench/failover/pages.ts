/** Pages that wait at the instances like the element, and the time at which each is told that its user is bound. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Instance } from '../../support/instance.ts'
import { runElement } from '../long-poll/element.ts'

export type WaitingPages = {
  /** Resolves with the times at which the pages were told, in the order of `users`. */
  told: Promise<number[]>
  end(): void
}

/** The page of the user `users[i]` waits at the instance `i % 2`. Resolves when all of them wait. */
export async function openPages(instances: Instance[], users: string[]): Promise<WaitingPages> {
  const ending = new AbortController()
  const told = Promise.all(
    users.map(async (user, i) => {
      const { url, client } = instances[i % instances.length]!
      const Authorization = `Bearer ${await client.mintToken({ account: 'acme', userId: user })}`
      const state = await runElement({
        send(state) {
          const { signal } = ending
          if (state.name === 'loading') {
            return fetch(`${url}/widget/qrcode`, { method: 'POST', headers: { Authorization }, signal })
          }
          const version = 'version' in state ? state.version : 0
          const headers = { Authorization, 'If-None-Match': `"${version}"`, Prefer: 'wait=25' }
          return fetch(`${url}/widget/binding`, { headers, signal })
        },
        random: Math.random,
        signal: ending.signal,
      })
      return state.name === 'bound' ? performance.now() : Number.POSITIVE_INFINITY
    }),
  )
  while ((await waitingAt(instances)) < users.length) await delay(50)
  return { told, end: () => ending.abort() }
}

async function waitingAt(instances: Instance[]): Promise<number> {
  const counts = instances.map(async ({ url }) => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return Number(/^wechat_bind_waiters (\d+)$/m.exec(text)?.[1])
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}
