/** The interfaces of the runtime: HTTP calls, timers, a logger. They are passed in, so that tests can replace them. */

/** The global `fetch` has this type. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** Runs `callback` after `ms`; returns a function that cancels it. */
export type SetTimer = (callback: () => void, ms: number) => () => void

/** A pino logger has this type. No log line contains a secret, an openid, a token or chat text. */
export type Log = {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** `setTimeout` as a `SetTimer`. */
export const systemTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
