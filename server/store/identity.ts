/** A user's identity, and the values that a binding records about its origin. Used by every file of the store. */

/** Opaque ids, compared byte by byte. The same ids in two tenants are two users. */
export type Identity = { tenant: string; account: string; userId: string }

/** The language of the messages in the chat. */
export type Language = 'zh-CN' | 'zh-TW' | 'en'

/** How a binding was made: by scanning a QR code, or by sending the ticket's code as a chat message. */
export type BindReason = 'scan' | 'text'
