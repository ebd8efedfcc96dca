/**
 * Plans: generators that yield SQL statements and receive the results. Every read and write of a unit of work is written as a
 * plan, so that one source runs on both engines.
 *
 * The plan yields `{ text, values }`. A runner executes the statement and passes the result back with `next(result)`.
 * `runPlan` does this synchronously, for SQLite: a whole transaction runs in one turn of the event loop. `runPlanAsync` awaits
 * each result, for PostgreSQL.
 *
 * Plans are not async functions, because SQLite has one connection. An `await` between two statements would let another request
 * read or write inside the open transaction. A plan has no effect except its statements, so it may run again after a rollback.
 *
 * What could go wrong: a side effect inside a plan (a request, a counter) would happen again with each run. When a statement fails, the
 * runner throws and does not resume the plan: a `catch` or `finally` inside the plan does not run.
 */

type Statement = { text: string; values: unknown[] }

/** `changes`: the number of rows that the statement wrote. */
type Result = { rows: unknown[]; changes: number }

export type Plan<T> = Generator<Statement, T, Result>

export type Run = (statement: Statement) => Result
export type RunAsync = (statement: Statement) => Promise<Result>

export function runPlan<T>(plan: Plan<T>, run: Run): T {
  let step = plan.next()
  while (!step.done) step = plan.next(run(step.value))
  return step.value
}

export async function runPlanAsync<T>(plan: Plan<T>, run: RunAsync): Promise<T> {
  let step = plan.next()
  while (!step.done) step = plan.next(await run(step.value))
  return step.value
}
