/** What is done to the store, told statement by statement: who runs it decides whether the event loop turns in between. */

type Statement = { text: string; values: unknown[] }

/** `changes`: how many rows it wrote. */
type Result = { rows: unknown[]; changes: number }

/** Yields each statement and is given its result. It can do nothing else, so it may run in any transaction, and twice. */
export type Plan<T> = Generator<Statement, T, Result>

export type Run = (statement: Statement) => Result
export type RunLater = (statement: Statement) => Promise<Result>

/** On an engine that answers at once: the whole plan in one turn of the event loop. */
export function runPlan<T>(plan: Plan<T>, run: Run): T {
  let step = plan.next()
  while (!step.done) step = plan.next(run(step.value))
  return step.value
}

/** On an engine that is asked over a line. */
export async function runPlanLater<T>(plan: Plan<T>, run: RunLater): Promise<T> {
  let step = plan.next()
  while (!step.done) step = plan.next(await run(step.value))
  return step.value
}
