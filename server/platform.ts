/** What the runtime lends to the app: HTTP calls, timers, a logger. Passed in, so that tests replace them. */

/** The global `fetch` fits as it is. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** Runs `callback` after `ms`; returns a function that cancels it. */
export type SetTimer = (callback: () => void, ms: number) => () => void

/** pino fits as it is. No log line holds a secret, an openid, a token or chat text. */
export type Log = {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
