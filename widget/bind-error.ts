/** The widget's one error: a stable `code` for programs, a message for people, and whether the same request may succeed later. */

/** The server's codes (`UNAUTHORIZED`, `RATE_LIMITED`, ...) and the five that only a browser can meet. */
export type BindErrorCode = 'NETWORK' | 'OTHER_USER' | 'TIMEOUT' | 'BAD_RESPONSE' | 'NO_TOKEN' | (string & {})

/** What else a refusal can say. `retryAfterMs`: not before; `triesLeft`: of a wrong confirmation code; `requestId`: the server's name for it. */
export type BindErrorDetails = {
  retryable?: boolean
  retryAfterMs?: number | undefined
  triesLeft?: number | undefined
  requestId?: string | undefined
  cause?: unknown
}

/** Why the element could not go on. Never holds a token, a ticket or an openid. */
export class BindError extends Error {
  readonly code: BindErrorCode
  readonly retryable: boolean = false
  declare readonly retryAfterMs?: number
  declare readonly triesLeft?: number
  declare readonly requestId?: string

  constructor(code: BindErrorCode, message: string, details: BindErrorDetails = {}) {
    super(message)
    this.code = code
    Object.assign(this, details)
  }
}

/** Whether a new token, and nothing else, would help. */
export function isTokenError({ code }: BindError): boolean {
  return ['TOKEN_EXPIRED', 'UNAUTHORIZED', 'NO_TOKEN'].includes(code)
}
