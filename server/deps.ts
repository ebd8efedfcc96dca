/** The parts that the app is made from. An app made from such parts runs on any runtime that Hono supports. */
import type { AfterCommit } from './binding/after-commit.ts'
import type { EventSettings } from './binding/apply-intent.ts'
import type { QrLimits } from './binding/limits.ts'
import type { Tickets } from './binding/tickets.ts'
import type { Waiters } from './binding/waiters.ts'
import type { WebhookReceiver } from './config/webhook-receivers.ts'
import type { Finding } from './doctor/finding.ts'
import type { AddressesFor } from './http/base-url.ts'
import type { Cursors } from './keys/cursor.ts'
import type { Keyring } from './keys/keyring.ts'
import type { OauthStates } from './keys/oauth-state.ts'
import type { Operators, Role } from './keys/operators.ts'
import type { PrincipalOf } from './keys/token-cache.ts'
import type { Forwarder } from './outbound/forwarder.ts'
import type { UnionidFetcher } from './outbound/unionid-fetcher.ts'
import type { WebhookAnswer } from './outbound/webhook-request.ts'
import type { Log } from './platform.ts'
import type { KeyedHash } from './store/sql/tx-settings.ts'
import type { Identity, Store } from './store/store.ts'
import type { FigureCounter } from './telemetry/figures.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Warn } from './telemetry/warnings.ts'
import type { WechatApi } from './wechat/api.ts'
import type { CallbackSettings } from './wechat/message.ts'
import type { FollowQr } from './wire.ts'

export type OauthParts = {
  addressesFor: AddressesFor
  states: OauthStates
  limits: QrLimits
  /** The QR code with which a bound user follows the account. */
  followQr: () => Promise<FollowQr | undefined>
}

/** A file at the root of the server. */
export type VerifyFile = { name: string; content: string }

export type Deps = {
  /** The name of the Official Account (`ACCOUNT_NAME`), which the pages show. */
  accountName: string | undefined
  callback: CallbackSettings
  /** The web authorization of pages inside WeChat. Undefined without `WECHAT_OAUTH=on`. */
  oauth: OauthParts | undefined
  /** Files by which WeChat's console verifies the domain. */
  verifyFiles: VerifyFile[]
  events: EventSettings
  /** Forwards to the system that owned the callback before. Undefined without `FORWARD_URL`. */
  forwarder: Forwarder | undefined
  keyring: Keyring
  cursors: Cursors
  metrics: Metrics
  store: Store
  tickets: Tickets
  unionids: UnionidFetcher
  /** Counts the changes and fetches the unionid of a bound user. `binding/` calls it after every commit that changes a binding. */
  afterCommit: AfterCommit
  /** Whether the proxy in front of this server is the operator's own, so that its request ids can be trusted. */
  trustProxy: boolean
  waiters: Waiters
  principalOf: PrincipalOf
  wechat: WechatApi
  /** The URL of WeChat's QR picture, up to the ticket that is appended. */
  qrImageUrl: string
  allowedOrigins: string[]
  /** Whether the simulator's test users are accepted. */
  allowsTestUsers: boolean
  /** The file behind `/wechat-bind.js`. Undefined if the widget is not built. */
  widgetFile: { text: string; etag: string } | undefined
  log: Log
  /** Logs the mistakes of the set-up, with their fixes. */
  warn: Warn
  /** Counts the events for the figures of the console. */
  figures: FigureCounter
  console: ConsoleParts
  /** Epoch ms. */
  clock: () => number
}

/** Dependencies that only the console uses. */
export type ConsoleParts = {
  operators: Operators
  /** The names under which browsers may reach the console. */
  hostNames: Pick<ReadonlySet<string>, 'has'>
  /** The built page. Undefined if it is not built. */
  page: ConsolePage | undefined
  hashOf: KeyedHash
  /** Returns the value of the header `Bind-User`. */
  nameOf: (identity: Identity) => string
  tenants: () => string[]
  waitingLimit: number
  receivers: () => WebhookReceiver[]
  sendTest: (receiver: WebhookReceiver) => Promise<WebhookAnswer>
  runDoctor: () => Promise<Finding[]>
  version: string
  /** Aborted when the server stops, so that no request waits any longer. */
  closing: AbortSignal
  /** The path of the cookie, if it differs from the path of the requests that the app gets. */
  cookiePath?: string
  /** Tokens that the sign-in offers. Only the demo has them. */
  offers?: { name: string; role: Role; token: string }[]
}

/** The files of the console's page. `find` returns undefined for an unknown path. */
export type ConsolePage = { find(path: string): PageFile | undefined }

export type PageFile = { body: Uint8Array<ArrayBuffer>; type: string; etag: string; isImmutable: boolean }
