/** A QR code of a user, as the store keeps it. */
import type { Language } from './identity.ts'
import type { TicketState, User } from './user.ts'

/** A QR code and its scene, without the fields that the rules do not read. Times are epoch ms. */
export type Ticket = {
  id: number
  user: number
  appId: string
  label: string | null
  lang: Language
  createdAt: number
  expiresAt: number
  state: TicketState
}

/** The fields of a ticket that are shown to the user. */
type QrOfTicket = {
  scene: string
  /** The code that has the effect of a scan when the user sends it as a chat message. */
  code: string
  /** WeChat's own ticket, from which WeChat makes an image of the QR code. */
  wechatTicket: string
  url: string
}

export type TicketWithQr = Ticket & QrOfTicket

export type NewTicket = Omit<TicketWithQr, 'id' | 'user' | 'state'>

/** A ticket and its user. */
export type Claimable = { ticket: Ticket; user: User }
