/**
 * Finds an order in which the model explains what the server did.
 *
 * An operation of the model is a generator. It yields at the end of each transaction, because the server may run
 * transactions of other operations between its own. Several operations at the same time are explained by one possible
 * order of all their transactions. If an operation has no answer (the store failed, or the server was killed), it may
 * have ended after any of its transactions. If the contract allows several results, the search tries each of them. If
 * no order fits, the fault of the first one is reported.
 */
import { copyState, type State } from './state.ts'

/** Returns a number from 0 to `count - 1`. */
export type Choose = (count: number) => number

/** An operation of the model. It returns the answer that the server must give. */
export type Op = (m: State, choose: Choose) => Generator<void, unknown>

/**
 * `mayEndEarly` means that the server has failed during this operation. Any transaction of the operation may then be
 * the last one.
 */
export type Happening = {
  op: Op
  mayEndEarly: boolean
  /** The operation shares no data with the other operations, so their order does not matter. */
  isApart?: boolean
}

/** The answer of an operation that has ended early. */
export const CUT = Symbol('cut')

export type Explanation = { state: State; answers: unknown[] }

/** The maximum number of tries. Two or three operations at the same time need a few hundred, four that WeChat keeps waiting over 20,000. */
const MOST = 400_000

/** Returns what is wrong with the answer of an operation. It is asked as soon as the operation ends, so that others need not be played. */
type AnswerFault = (index: number, answer: unknown) => string | undefined

/**
 * `first`: the work that the server may have done by itself before. Calls `fits` with each explanation whose answers are right, until
 * `fits` returns nothing. If none fits, returns the fault of the first explanation.
 */
export function explain(
  before: State,
  first: (m: State, choose: Choose) => void,
  happenings: Happening[],
  answerFault: AnswerFault,
  fits: (explanation: Explanation) => string | undefined,
): { explanation: Explanation } | { fault: string } {
  let fault: string | undefined
  const script: number[] = []
  for (let tries = 0; tries < MOST; tries++) {
    const arities: number[] = []
    const choose: Choose = (count) => {
      if (count <= 1) return 0
      const at = arities.length
      arities.push(count)
      script[at] ??= 0
      return script[at]
    }
    const state = copyState(before)
    first(state, choose)
    const played = play(state, happenings, choose, answerFault)
    if ('fault' in played) fault ??= played.fault
    else {
      const explanation = { state, answers: played.answers }
      const wrong = fits(explanation)
      if (wrong === undefined) return { explanation }
      fault ??= wrong
    }
    script.length = arities.length
    while (script.length > 0 && script.at(-1)! + 1 >= arities[script.length - 1]!) script.pop()
    if (script.length === 0) return { fault }
    script[script.length - 1]!++
  }
  return { fault: `${fault}\n    (none of the first ${MOST} explanations fits)` }
}

function play(
  state: State,
  happenings: Happening[],
  choose: Choose,
  answerFault: AnswerFault,
): { answers: unknown[] } | { fault: string } {
  const answers: unknown[] = happenings.map(() => CUT)
  const running = happenings.map(({ op, ...rest }, index) => ({ ...rest, index, generator: op(state, choose) }))
  while (running.length > 0) {
    const apart = running.findIndex(({ isApart }) => isApart)
    const at = apart >= 0 ? apart : choose(running.length)
    const { index, mayEndEarly, generator } = running[at]!
    // The choices are in reverse order, so that the search first tries that all operations were completed.
    if (mayEndEarly && choose(2) === 1) {
      running.splice(at, 1)
      continue
    }
    const { done, value } = generator.next()
    if (!done) continue
    const fault = answerFault(index, value)
    if (fault !== undefined) return { fault }
    answers[index] = value
    running.splice(at, 1)
  }
  return { answers }
}
