/**
 * The error class and the table of its codes. The codes are part of the API. A message is for people and contains no secret, openid
 * or ciphertext.
 */

/** A text for operators, in English and in Chinese. */
export type Bilingual = { en: string; zh: string }

/** For example `1 key`, `2 keys`. */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** `status` is the HTTP status, `title` the code in words. `retryable` means that the same request may succeed later. */
export const errorCodes = {
  BAD_REQUEST: { status: 400, retryable: false, title: 'The request is malformed' },
  TEST_USER: { status: 400, retryable: false, title: 'This User_ID works only with the simulator' },
  STALE_DATE: { status: 400, retryable: false, title: 'Date is more than 300 s from the server time' },
  UNAUTHORIZED: { status: 401, retryable: false, title: 'The credentials are not valid' },
  TOKEN_EXPIRED: { status: 401, retryable: false, title: 'The widget token has expired' },
  FORBIDDEN: { status: 403, retryable: false, title: 'The widget token does not allow this request' },
  DECLINED: { status: 403, retryable: false, title: 'The user declined the authorization in WeChat' },
  SNAPSHOT_PAGE: { status: 403, retryable: false, title: "WeChat's snapshot page has no real user" },
  CALLBACK_REFUSED: { status: 403, retryable: false, title: 'The callback failed verification' },
  NOT_FOUND: { status: 404, retryable: false, title: 'No route for this method and path' },
  REPLAYED: { status: 409, retryable: false, title: 'This jti has already been used' },
  NOT_BOUND: { status: 409, retryable: false, title: 'The user has no WeChat account bound' },
  NOT_SCANNED: { status: 409, retryable: false, title: 'There is no scan to confirm' },
  CONFLICT: { status: 409, retryable: false, title: 'This WeChat account is bound to another user' },
  PROOF_EXPIRED: { status: 410, retryable: false, title: "WeChat's authorization has expired or was used before" },
  EVENTS_GONE: { status: 410, retryable: false, title: 'Events after this cursor have expired' },
  TOO_LARGE: { status: 413, retryable: false, title: 'The request body is too large' },
  WRONG_CODE: { status: 422, retryable: false, title: 'The code differs from the one shown in WeChat' },
  RATE_LIMITED: { status: 429, retryable: true, title: 'Too many requests' },
  INTERNAL: { status: 500, retryable: true, title: 'Internal server error' },
  WECHAT_FORBIDDEN: { status: 502, retryable: false, title: 'WeChat refused the call' },
  WECHAT_QUOTA: { status: 503, retryable: true, title: "The quota of WeChat's API is used up" },
  WECHAT_UNAVAILABLE: { status: 503, retryable: true, title: 'WeChat is unavailable' },
  STORE_UNAVAILABLE: { status: 503, retryable: true, title: 'The store is unavailable' },
  OVERLOADED: { status: 503, retryable: true, title: 'The server is at capacity' },
  UNREACHABLE: { status: 503, retryable: true, title: 'The bind server could not be reached' },
  BAD_CONFIG: { status: 500, retryable: false, title: 'The configuration is not valid' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>

export type ErrorCode = keyof typeof errorCodes

/** Further fields of a refusal: the time to the next try, the number of tries left, and the request's id in the server's log. */
type ErrorDetails = {
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
