/** The answers of a failing webhook receiver. The bind server reacts to each of these failures in a different way. */
import type { Conditions } from './conditions.ts'
import type { Delay } from './simulator/faults.ts'

export type ReceiverFault = Exclude<Conditions['receiver'], 'up'>

// This delay is longer than the 20 s for which the bind server waits.
const HANGS_MS = 30_000

const answers: Record<Exclude<ReceiverFault, 'hang'>, { status: number; headers?: Record<string, string> }> = {
  error: { status: 500 },
  busy: { status: 429, headers: { 'Retry-After': '10' } },
  moved: { status: 307, headers: { Location: '/host/elsewhere' } },
  gone: { status: 410 },
}

export async function answerFaulty(fault: ReceiverFault, delay: Delay, signal: AbortSignal): Promise<Response> {
  if (fault === 'hang') {
    await delay(HANGS_MS, signal).catch(() => {})
    return new Response(null, { status: 204 })
  }
  return new Response(null, answers[fault])
}
