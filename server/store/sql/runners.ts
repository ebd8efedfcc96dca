/** The functions that run plans, as they are passed to the parts of the store. */
import type { Plan } from '../plan.ts'

export type RunPlan = <T>(plan: () => Plan<T>) => Promise<T>

/** `write` runs a plan in a transaction. Both throw the errors of the store. */
export type Runners = { read: RunPlan; write: RunPlan }
