/** The whole list of what the app needs: hand these over, and it runs anywhere. */
import type { EventSettings } from './binding/apply-intent.ts'
import type { ReplyName } from './binding/replies.ts'
import type { Tickets } from './binding/tickets.ts'
import type { Waiters } from './binding/waiters.ts'
import type { Keyring } from './keys/keyring.ts'
import type { PrincipalOf } from './keys/token-cache.ts'
import type { Forwarder } from './outbound/forwarder.ts'
import type { UnionidFetcher } from './outbound/unionid-fetcher.ts'
import type { Log } from './platform.ts'
import type { Change, Store } from './store/store.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { WechatApi } from './wechat/api.ts'
import type { CallbackSettings } from './wechat/message.ts'

export type Deps = {
  callback: CallbackSettings
  events: EventSettings
  /** The system that owned the callback before, if there is one. */
  forwarder: Forwarder | undefined
  keyring: Keyring
  metrics: Metrics
  store: Store
  tickets: Tickets
  unionids: UnionidFetcher
  /** To be told of the changes of every commit that this app makes, and of what the chat was told: counts, and fetches the unionid of who was bound. */
  afterCommit: (changes: Change[], said?: ReplyName) => void
  /** Whether what stands before this server is the operator's own, whose request ids are kept. */
  trustProxy: boolean
  waiters: Waiters
  principalOf: PrincipalOf
  wechat: WechatApi
  /** WeChat's picture of a QR is at this URL, the ticket appended. */
  qrImageUrl: string
  allowedOrigins: string[]
  /** The simulator's own users may ask: WeChat is not real here. */
  allowsTestUsers: boolean
  /** Served as `/wechat-bind.js`; undefined where it is not built. */
  widgetFile: { text: string; etag: string } | undefined
  log: Log
  /** Epoch ms. */
  clock: () => number
}
