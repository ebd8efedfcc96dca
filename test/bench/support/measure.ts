/** Measures one server under load: throughput, latency and CPU. */
import type { Job, Load } from './load.ts'
import type { Line } from './report.ts'
import type { Served } from './served.ts'
import { median, spread } from './statistics.ts'

export type Measured = {
  rate: number
  /** CPU time of the server's process per request, in us. */
  cpuUs: number
  p50: number
  p99: number
  loadIdle: number
  commitsPer1000: number
  sent: number
}

export async function measure(load: Load, served: Served, job: Omit<Job, 'urls'>): Promise<Measured> {
  const before = await served.usage()
  const result = await load.run({ urls: [served.url], ...job })
  const after = await served.usage()
  if (result.wrong > 0)
    throw new Error(`${result.wrong} of ${result.sent} answers were wrong, such as:\n${result.firstWrong}`)
  return {
    rate: result.sent / result.seconds,
    cpuUs: (after.cpuUs - before.cpuUs) / result.sent,
    p50: result.p50,
    p99: result.p99,
    loadIdle: result.idle,
    commitsPer1000: ((after.commits - before.commits) * 1000) / result.sent,
    sent: result.sent,
  }
}

// If the idle share is below this value, the load generator is the bottleneck.
const LEAST_IDLE = 0.05

/**
 * Returns a line of the report: requests per second, CPU time per request, and a note if the load generator was the
 * bottleneck.
 */
export function rateLine(what: string, rounds: Measured[], floors?: Measured[]): Line {
  const of = (name: keyof Measured) => rounds.map((round) => round[name])
  const share = floors ? `, ${median(shares(rounds, floors)).toFixed(2)} of the floor` : ''
  const value = `${Math.round(median(of('rate')))}/s ${spread(of('rate'))}, ${median(of('cpuUs')).toFixed(0)} us of CPU${share}`
  return median(of('loadIdle')) < LEAST_IDLE
    ? { what, value, note: 'the load generator was the bottleneck' }
    : { what, value }
}

/** Returns the ratio of each round, because only measurements from the same time are comparable. */
export const shares = (rounds: Measured[], others: Measured[]) => rounds.map(({ rate }, i) => rate / others[i]!.rate)
