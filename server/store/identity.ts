/** Who is bound, and how: the words that all of the store shares. */

/** Opaque ids, compared byte for byte, nothing crossing a tenant. */
export type Identity = { tenant: string; account: string; userId: string }

/** What the chat speaks. */
export type Language = 'zh-CN' | 'zh-TW' | 'en'

/** How a binding came about: a scan, or the text path's code in the chat. */
export type BindReason = 'scan' | 'text'
