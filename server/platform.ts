/**
 * The interfaces of the runtime for HTTP calls, timers and the log. They are passed in, so that tests can replace them. `readCapped`
 * reads the answer of a call.
 */

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

/** The error when an answer is longer than its reader accepts. */
export class AnswerTooLong extends Error {
  override name = 'AnswerTooLong'
}

/** Reads the body of an answer. Beyond `maxBytes` it cancels the body, which closes the connection, and throws `AnswerTooLong`. */
export async function readCapped({ body }: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop with an error cancels the body.
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > maxBytes) throw new AnswerTooLong(`the answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return joinChunks(chunks, length)
}

/** `length` is the sum of the chunks' lengths. The function does not use `Buffer`, which some runtimes lack. */
export function joinChunks(chunks: Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** `setTimeout` as a `SetTimer`. */
export const systemTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}

/** `setInterval` as a `SetTimer`, which repeats the callback. It does not keep the process running. */
export const systemInterval: SetTimer = (callback, ms) => {
  const timer = setInterval(callback, ms).unref()
  return () => clearInterval(timer)
}

/** Resolves after `ms`, rejects when the signal aborts. */
export type Delay = (ms: number, signal?: AbortSignal) => Promise<void>

/** Returns a signal that aborts after `ms`, as `AbortSignal.timeout` does. */
export type TimeLimit = (ms: number) => AbortSignal

export const systemTimeLimit: TimeLimit = (ms) => AbortSignal.timeout(ms)
