/** Sends the requests of a step and reads their answers. */
import fc from 'fast-check'
import type { Answer } from '../../server/http/answer.ts'
import { type Exchange, FAILED, type Outcome, PENDING } from './steps/exchange.ts'
import { LOST } from './world/instance.ts'
import type { World } from './world/world.ts'

export type Sending = {
  exchange: Exchange
  answer: Answer | object | typeof LOST | typeof PENDING
  /** The number of this server's calls to the store that had failed before. */
  failuresBefore: number
}

export function send(exchange: Exchange): Sending {
  const sending: Sending = { exchange, answer: PENDING, failuresBefore: exchange.instance.view.failures() }
  void exchange.send().then(
    (answer) => {
      sending.answer = answer
    },
    (error: Error) => {
      sending.answer = { thrown: error }
    },
  )
  return sending
}

/**
 * Runs the requests at the same time. Their calls to the store run one after the other, until every request has its
 * answer or waits for WeChat.
 */
export async function takeTurns(world: World, exchanges: Exchange[], order: number): Promise<Sending[]> {
  const [scheduler] = fc.sample(fc.scheduler(), { seed: order, numRuns: 1 })
  return world.inTurns(scheduler!, async () => {
    const sent = exchanges.map(send)
    for (let idle = 0; idle < 6 || scheduler!.count() > 0; ) {
      await new Promise(setImmediate)
      if (scheduler!.count() > 0) {
        idle = 0
        await scheduler!.waitOne()
      } else if (sent.every(({ answer }) => answer !== PENDING)) idle = 6
      else idle++
    }
    return sent
  })
}

export async function readOutcome({ exchange, answer, failuresBefore }: Sending): Promise<Outcome> {
  if (typeof answer === 'symbol') return { value: answer === LOST ? FAILED : PENDING }
  if ('thrown' in answer) return { fault: `thrown: ${(answer.thrown as Error).stack}` }
  const outcome = await exchange.read(answer)
  const hasFailed = exchange.instance.view.failures() > failuresBefore
  const isFailed = 'value' in outcome && outcome.value === FAILED
  return isFailed && !hasFailed
    ? { fault: 'the server reports a failure of the store, but the store has not failed' }
    : outcome
}
