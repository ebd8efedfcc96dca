/** The load: a process of its own on a core of its own, with the messages made beforehand. `startLoad` is the parent's side of it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CORES, pinned } from './pin.ts'
import type { Recipe } from './requests.ts'

export type Job = {
  url: string
  /** Which of the made requests, the first and how many; each is sent once, and again from the first when `again`. */
  from: number
  count: number
  connections: number
  /** Ends after this, also when not all are sent. */
  ms: number
  /** Requests a second; undefined: as fast as answers come. */
  rate?: number | undefined
  /** What each answer has to hold, so that a server that only refuses is not measured. */
  expects: { status: number; isEmpty?: boolean }
}

export type Result = {
  sent: number
  seconds: number
  /** ms, from when a request was due until its answer was there. */
  p50: number
  p99: number
  max: number
  /** The part of the time in which the load had nothing to do; near 0 it is the bottleneck itself. */
  idle: number
  wrong: number
  firstWrong: string | undefined
}

export type Load = Awaited<ReturnType<typeof startLoad>>

export async function startLoad() {
  const child = fork(join(import.meta.dirname, 'load-child.ts'), { ...pinned(CORES.load), serialization: 'advanced' })

  async function ask<T>(message: object): Promise<T> {
    const over = new AbortController()
    const answered = once(child, 'message', over)
    const ended = once(child, 'exit', over).then(() => Promise.reject(new Error('the load ended')))
    child.send(message)
    const [answer] = await Promise.race([answered, ended]).finally(() => {
      ended.catch(() => {})
      over.abort()
    })
    return answer as T
  }

  return {
    /** Makes them; they are kept until the next are made. */
    make: (recipe: Recipe) => ask<'made'>({ recipe }),
    run: (job: Job) => ask<Result>({ job }),
    async end() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
