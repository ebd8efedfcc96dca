/**
 * The answers of the control API. This file contains only types, so that a client in another process need not load the
 * simulator.
 */

/** The screen after a scan: the chat, the follow page, or a notice that the QR code is expired or not from WeChat. */
export type ScanScreen = 'chat' | 'follow' | 'expired' | 'unknown'

export type ScanView = { screen: ScanScreen }

/** A part of a message: text, or a link (`href`). */
export type ChatPart = { text: string; href?: string }

export type ChatMessageView = {
  id: number
  /** `wechat` marks a notice of WeChat itself, which the chat displays in grey. */
  from: 'account' | 'person' | 'wechat'
  /** Epoch ms. */
  at: number
  parts: ChatPart[]
}

export type PhoneView = { person: string; openid: string; isFollowing: boolean; chat: ChatMessageView[] }

/** The state of the simulated WeChat that a page displays. */
export type SimulatorView = { account: string; phones: PhoneView[] }

/**
 * Failures between WeChat and the callback URL. `duplicate` delivers the message twice. `delay` delivers it 8 s late.
 * `reorder` delivers it after the next message. `drop` loses it. `tamper` changes one byte of it.
 */
export type CallbackFault = 'none' | 'duplicate' | 'delay' | 'reorder' | 'drop' | 'tamper'
