/** The widget's one error: a stable `code` for programs, a message for people, and whether the same request may succeed later. */

/** The server's codes (`UNAUTHORIZED`, `RATE_LIMITED`, ...) and the four that only a browser can meet. */
export type BindErrorCode = 'NETWORK' | 'TIMEOUT' | 'BAD_RESPONSE' | 'NO_TOKEN' | (string & {})

/** What else a refusal can say. `retryAfterMs`: not before; `triesLeft`: of a wrong confirmation code. */
export type BindErrorDetails = { retryable?: boolean; retryAfterMs?: number; triesLeft?: number; cause?: unknown }

/** Why the element could not go on. Never holds a token, a ticket or an openid. */
export class BindError extends Error {
  override name = 'BindError'
  readonly code: BindErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly triesLeft: number | undefined

  constructor(code: BindErrorCode, message: string, details: BindErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.retryable = details.retryable ?? false
    this.retryAfterMs = details.retryAfterMs
    this.triesLeft = details.triesLeft
  }
}

/** Whether a new token, and nothing else, would help. */
export function isTokenError({ code }: BindError): boolean {
  return code === 'TOKEN_EXPIRED' || code === 'UNAUTHORIZED' || code === 'NO_TOKEN'
}
