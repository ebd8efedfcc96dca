/** The widget's only error class. An error has a stable `code` for programs and a message for developers. */

/** The codes that originate in the browser. docs/element.md explains each one. */
export type BindErrorCode = 'NETWORK' | 'BLOCKED' | 'OTHER_USER' | 'TIMEOUT' | 'BAD_RESPONSE' | 'NO_TOKEN'

/**
 * `retryAfterMs`: the shortest time until a retry. `triesLeft`: the number of attempts left after a wrong confirmation
 * code. `requestId`: the request's id in the server's log. `status`: the HTTP status, which is 0 for a redirect.
 */
type BindErrorDetails = {
  retryable?: boolean
  retryAfterMs?: number | undefined
  triesLeft?: number | undefined
  requestId?: string | undefined
  status?: number | undefined
  cause?: unknown
}

/** The reason why the element cannot continue. The error never contains a token, a ticket or an openid. */
export class BindError extends Error {
  /** A code of the browser or of the server (`UNAUTHORIZED`, `RATE_LIMITED`, ...). */
  readonly code: BindErrorCode | (string & {})
  readonly retryable: boolean = false
  declare readonly retryAfterMs?: number
  declare readonly triesLeft?: number
  declare readonly requestId?: string
  declare readonly status?: number

  constructor(code: BindError['code'], message: string, details: BindErrorDetails = {}) {
    super(message)
    this.code = code
    Object.assign(this, details)
  }
}

/** Whether only a new token can solve the error. */
export function isTokenError({ code }: Pick<BindError, 'code'>): boolean {
  return ['TOKEN_EXPIRED', 'UNAUTHORIZED', 'NO_TOKEN'].includes(code)
}

/**
 * Whether the session of the page's user has ended: no token is valid, or the page's server refuses to issue a token,
 * or it redirects to its sign-in page.
 */
export function isSignedOut({ code, status }: BindError): boolean {
  return code === 'NO_TOKEN' ? [0, 401, 403].includes(status!) : isTokenError({ code })
}
