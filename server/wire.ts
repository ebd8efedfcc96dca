/** The JSON that travels between the server and the widget, and to a webhook. Types only: all sides import them, nobody ships them. */

/** Why a binding ended. `replaced`: the user bound a second WeChat, or another user took it over under `CONFLICT=replace`. */
export type UnbindReason = 'disconnect' | 'widget' | 'chat' | 'unsubscribe' | 'replaced'

/** How a scan is confirmed before it binds: a tap in the chat, or four digits typed into the page. */
export type Confirm = 'reply' | 'code'

/** What `GET /widget/binding`, `POST /widget/confirm` and `DELETE /widget/binding` answer; `version` is also the `ETag`. */
export type BindingView =
  | { state: 'unbound'; reason?: UnbindReason; version: number }
  | { state: 'scanned'; confirm: Confirm; version: number }
  | { state: 'bound' /** Unix seconds */; boundAt: number; version: number }

/** `url` drawn: an SVG path of 1-unit modules, without margin, on a square of `size` units. */
export type QrPath = { size: number; path: string }

/** A live ticket. `code` is the text path's one-time code; `expiresIn` is seconds left, so that no clock is compared. */
export type TicketView = {
  state: 'unbound'
  url: string
  qr: QrPath
  code: string
  expiresIn: number
  version: number
}

/** What `POST /widget/qrcode` answers: a ticket, or the state itself when there is nothing to scan. */
export type QrcodeView = TicketView | Exclude<BindingView, { state: 'unbound' }>

/** RFC 9457 problem details; `code` is stable, `detail` is for people. */
export type Problem = {
  type: string
  title: string
  status: number
  code: string
  detail: string
  /** The same as the header `X-Request-Id`: what the operator's log knows this request by. */
  requestId?: string
  /** With `WRONG_CODE`: how many more tries the ticket has. */
  triesLeft?: number
}

/** What a tenant's webhook is told, signed by the Standard WebhookReceivers scheme. */
export type WebhookPayload = {
  type: 'binding.bound' | 'binding.unbound'
  /** ISO 8601 */
  timestamp: string
  data: {
    Tenant: string
    Account: string
    User_ID: string
    Version: number
    Reason: string
    /** `bound` only; null when the openid was erased before it could be told. */
    OpenId?: string | null
    UnionId?: string | null
    AppId?: string | null
  }
}
