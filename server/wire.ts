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
 * The answer of `GET /widget/binding`, `POST /widget/confirm`, `POST /widget/oauth/confirm` and `DELETE /widget/binding`. `version`
 * is also the `ETag`. `notice` is present from a refused scan to the next change, for 60 s at most. `subscribed` is present, and
 * false, only with `WECHAT_OAUTH=on` while the WeChat user does not follow the Official Account.
 */
export type BindingView = { version: number; notice?: Notice } & (
  | { state: 'unbound'; reason?: UnbindReason }
  | { state: 'scanned'; confirm: Confirm }
  | BoundView
)

export type BoundView = {
  state: 'bound'
  /** Unix seconds */
  boundAt: number
  subscribed?: false
  /**
   * With `subscribed: false`, in the answers of `POST /widget/qrcode` and `POST /widget/oauth/confirm`: the QR code to follow the
   * Official Account. It is the same for all users and binds nobody. Absent while WeChat makes no QR code.
   */
  follow?: FollowQr
}

/** The QR code of a URL: an SVG path of 1-unit modules, without margin, on a square of `size` units. */
export type QrPath = { size: number; path: string }

/** `account` is the name of the Official Account (`ACCOUNT_NAME`). */
export type FollowQr = { url: string; qr: QrPath; account?: string }

/**
 * A valid ticket. `code` is the one-time code that the user can send to the chat instead of a scan. `expiresIn` is the number of
 * seconds left, which does not depend on the browser's clock. `account` is the name of the Official Account (`ACCOUNT_NAME`).
 * `oauth` is present with `WECHAT_OAUTH=on`: a page inside WeChat can bind without a scan (`POST /widget/oauth`).
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
  oauth?: true
}

/** The answer of `POST /widget/qrcode`: a ticket, or the state of a user who has nothing to scan. */
export type QrcodeView = TicketView | Exclude<BindingView, { state: 'unbound' }>

/** The body of `POST /widget/oauth`: the URL of the page to return to, with its fragment. Its origin must be allowed. */
export type OauthRequest = { return: string }

/** The answer of `POST /widget/oauth`: the URL of WeChat's page to which the browser goes. */
export type OauthView = { url: string }

/**
 * The browser returns from WeChat with `wechat-bind=<proof>` in the fragment of the page's URL, or `wechat-bind-error=<code>`
 * with one of these codes. The page's own fragment stays in front, followed by `?` or `&` (`#/account?wechat-bind=…`). The values
 * need no decoding. `DECLINED`: the user declined in WeChat. `PROOF_EXPIRED`: the authorization took too long, or was completed
 * before. `SNAPSHOT_PAGE`: WeChat shows a snapshot of the page (快照页), which has no real user; the user first taps "使用完整服务".
 */
export type OauthErrorCode =
  | 'DECLINED'
  | 'PROOF_EXPIRED'
  | 'SNAPSHOT_PAGE'
  | 'WECHAT_FORBIDDEN'
  | 'WECHAT_QUOTA'
  | 'WECHAT_UNAVAILABLE'
  | 'STORE_UNAVAILABLE'
  | 'INTERNAL'

/**
 * The body of `POST /widget/oauth/confirm`. A proof counts once. Refusals: `CONFLICT` 409, `PROOF_EXPIRED` 410, `FORBIDDEN` 403 if it
 * belongs to another user.
 */
export type OauthConfirmation = { proof: string }

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
