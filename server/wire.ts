/** The JSON between the server, the widget and the webhooks. This file has only types, so its import adds no code to the widget. */

/**
 * Why a binding was removed. `replaced` means that the user bound another WeChat account, or that another user bound this WeChat
 * account under `CONFLICT=replace`. `operator` is the command line or the console. `erased` means that the user was erased.
 */
export type UnbindReason =
  | 'disconnect'
  | 'widget'
  | 'chat'
  | 'unsubscribe'
  | 'replaced'
  | 'operator'
  | 'erased'
  | 'import'

/** How a scan is confirmed before it binds: `reply` is a tap in the chat, `code` is four digits typed into the page. */
export type Confirm = 'reply' | 'code'

/**
 * Why the server has refused a scan. `conflict`: the WeChat is bound to another account (`CONFLICT=reject`). `expired_scan`: the QR
 * code no longer works.
 */
export type Notice = 'conflict' | 'expired_scan'

/**
 * The answer of `GET /widget/binding`, `POST /widget/confirm` and `DELETE /widget/binding`. `version` is also the `ETag`. `notice` is
 * present from a refused scan to the next change, for 60 s at most.
 */
export type BindingView = { version: number; notice?: Notice } & (
  | { state: 'unbound'; reason?: UnbindReason }
  | { state: 'scanned'; confirm: Confirm }
  | { state: 'bound' /** Unix seconds */; boundAt: number }
)

/** The QR code of a URL: an SVG path of 1-unit modules, without margin, on a square of `size` units. */
export type QrPath = { size: number; path: string }

/**
 * A valid ticket. `code` is the one-time code that the user can send to the chat instead of a scan. `expiresIn` is the number of
 * seconds left, which does not depend on the browser's clock. `account` is the name of the Official Account (`ACCOUNT_NAME`).
 */
export type TicketView = {
  state: 'unbound'
  url: string
  qr: QrPath
  code: string
  account?: string
  expiresIn: number
  version: number
  notice?: Notice
}

/** The answer of `POST /widget/qrcode`: a ticket, or the state of a user who has nothing to scan. */
export type QrcodeView = TicketView | Exclude<BindingView, { state: 'unbound' }>

/** RFC 9457 problem details. `code` is stable; `detail` is for people. */
export type Problem = {
  type: string
  title: string
  status: number
  code: string
  detail: string
  /** The request's id in the server's log, also sent in the header `X-Request-Id`. */
  requestId?: string
  /** With `WRONG_CODE`: the number of tries left. */
  triesLeft?: number
}

/** The body of a webhook delivery, signed as Standard Webhooks defines. `webhook.test` has empty ids and the version 0. */
export type WebhookPayload = {
  type: 'binding.bound' | 'binding.unbound' | 'binding.updated' | 'webhook.test'
  /** ISO 8601 */
  timestamp: string
  data: {
    Tenant: string
    Account: string
    User_ID: string
    Version: number
    Reason: string
    /** `bound` and `updated` only; null when the openid was erased before the delivery. */
    OpenId?: string | null
    UnionId?: string | null
    AppId?: string | null
  }
}
