/** One error class and its one table of codes. The code is API; the message is for people and never holds a secret, an openid or a ciphertext. */

/** `status`: the HTTP status; `retryable`: the same request may succeed later; `title`: the code in words. */
export const errorCodes = {
  BAD_REQUEST: { status: 400, retryable: false, title: 'The request is not well formed' },
  TEST_USER: { status: 400, retryable: false, title: 'This User_ID works only with the simulator' },
  STALE_DATE: { status: 400, retryable: false, title: 'Date is outside the time window' },
  UNAUTHORIZED: { status: 401, retryable: false, title: 'The credentials were not accepted' },
  TOKEN_EXPIRED: { status: 401, retryable: false, title: 'The widget token has run out' },
  FORBIDDEN: { status: 403, retryable: false, title: 'The widget token does not allow this' },
  CALLBACK_REFUSED: { status: 403, retryable: false, title: 'The callback was not accepted' },
  NOT_FOUND: { status: 404, retryable: false, title: 'There is nothing at this path' },
  REPLAYED: { status: 409, retryable: false, title: 'This jti was used before' },
  NOT_BOUND: { status: 409, retryable: false, title: 'The user has no WeChat bound' },
  NOT_SCANNED: { status: 409, retryable: false, title: 'There is no scan to confirm' },
  CONFLICT: { status: 409, retryable: false, title: 'This WeChat is bound to another account' },
  TOO_LARGE: { status: 413, retryable: false, title: 'The body is too large' },
  WRONG_CODE: { status: 422, retryable: false, title: 'The code is not the one shown in WeChat' },
  RATE_LIMITED: { status: 429, retryable: true, title: 'Too many requests' },
  INTERNAL: { status: 500, retryable: true, title: 'The server failed' },
  WECHAT_FORBIDDEN: { status: 502, retryable: false, title: 'WeChat does not allow this account to do that' },
  WECHAT_QUOTA: { status: 503, retryable: true, title: "WeChat's quota is used up" },
  WECHAT_UNAVAILABLE: { status: 503, retryable: true, title: 'WeChat did not answer' },
  STORE_UNAVAILABLE: { status: 503, retryable: true, title: 'The store did not answer' },
  OVERLOADED: { status: 503, retryable: true, title: 'The server has no room for this request' },
  UNREACHABLE: { status: 503, retryable: true, title: 'The bind server could not be reached' },
  BAD_CONFIG: { status: 500, retryable: false, title: 'The configuration is not complete' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>

export type ErrorCode = keyof typeof errorCodes

/** What else a refusal can say: when to come back, how many tries are left, what the server's log knows the request by. */
export type ErrorDetails = {
  cause?: unknown
  retryAfterSeconds?: number | undefined
  triesLeft?: number
  requestId?: string | undefined
}

export class BindError extends Error {
  override name = 'BindError'
  readonly code: ErrorCode
  readonly retryAfterSeconds: number | undefined
  readonly triesLeft: number | undefined
  readonly requestId: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryAfterSeconds = details.retryAfterSeconds
    this.triesLeft = details.triesLeft
    this.requestId = details.requestId
  }

  get status(): number {
    return errorCodes[this.code].status
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }
}
