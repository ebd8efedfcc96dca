/** Starts the load generator. It is a process on its own core that sends prepared messages. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { CORES, pinned } from './pin.ts'
import type { Recipe } from './requests.ts'

export type Job = {
  /** The servers, which get the same number of connections each. */
  urls: string[]
  /** The index of the first request to send, and the number of requests. */
  from: number
  count: number
  connections: number
  /** The load generator stops after this time, even if requests are left. */
  ms: number
  /** Requests per second. Without this value, the load generator sends the next request after each answer. */
  rate?: number | undefined
  /** The expected answer, so that refused requests do not count. */
  expects: { status: number; isEmpty?: boolean }
}

export type Result = {
  sent: number
  seconds: number
  /** The times in ms from the moment when a request was due to its answer. */
  p50: number
  p99: number
  max: number
  /**
   * The share of the time in which the load generator was idle. If the share is near 0, the load generator is the
   * bottleneck.
   */
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
    const ended = once(child, 'exit', over).then(() => Promise.reject(new Error('the load generator exited')))
    child.send(message)
    const [answer] = await Promise.race([answered, ended]).finally(() => {
      ended.catch(() => {})
      over.abort()
    })
    return answer as T
  }

  return {
    /** Prepares requests. They replace the previous requests. */
    make: (recipe: Recipe) => ask<'made'>({ recipe }),
    run: (job: Job) => ask<Result>({ job }),
    async end() {
      if (child.exitCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}
