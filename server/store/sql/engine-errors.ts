/** Turns errors of an engine into the one code that callers of the store handle. */
import { BindError } from '../../errors.ts'

export type AsStoreError = <T>(result: Promise<T>) => Promise<T>

/** Runs a write that belongs to no unit of work. */
export type RunWrite = <T>(write: () => Promise<T>) => Promise<T>

/** Keeps a `BindError` and turns any other error into `STORE_UNAVAILABLE`. The original error is in `cause`, for the log only. */
export const asStoreError: AsStoreError = async (result) => {
  try {
    return await result
  } catch (cause) {
    if (cause instanceof BindError) throw cause
    throw unavailable(cause)
  }
}

/** Works like `asStoreError`, but also throws if there is no result after `ms`, because the caller has to answer its own request. */
export const asStoreErrorWithin =
  (ms: number): AsStoreError =>
  (result) => {
    const { promise: timeout, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    return asStoreError(Promise.race([result, timeout])).finally(() => clearTimeout(timer))
  }

const unavailable = (cause: unknown) =>
  new BindError('STORE_UNAVAILABLE', 'The store could not complete the request: try again.', { cause })
