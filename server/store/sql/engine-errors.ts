/** What a caller sees of an engine's faults: one code, in time for an answer. */
import { BindError } from '../../errors.ts'

export type Guard = <T>(result: Promise<T>) => Promise<T>

/** A refusal passes; a fault of the engine becomes `STORE_UNAVAILABLE`, its text kept for the log alone. */
export const asStoreError: Guard = async (result) => {
  try {
    return await result
  } catch (cause) {
    if (cause instanceof BindError) throw cause
    throw unavailable(cause)
  }
}

/** As `asStoreError`, and a fault as well when there is no result after `ms`: whoever waits behind it has to answer. */
export const asStoreErrorWithin =
  (ms: number): Guard =>
  (result) => {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    return asStoreError(Promise.race([result, late])).finally(() => clearTimeout(timer))
  }

const unavailable = (cause: unknown) =>
  new BindError('STORE_UNAVAILABLE', 'The store did not take the request: try again.', { cause })
