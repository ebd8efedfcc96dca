/** The identity of a user, and two enumerations that every part of the store uses. */

/** Opaque ids, compared byte by byte. The same ids in two tenants are two users. */
export type Identity = { tenant: string; account: string; userId: string }

/** One string per identity, for maps. */
export const identityKey = ({ tenant, account, userId }: Identity) => JSON.stringify([tenant, account, userId])

/** The languages of the replies in the chat. */
export type Language = 'zh-CN' | 'zh-TW' | 'en'

/** How a user was bound: by a scan, or by a code typed into the chat. */
export type BindReason = 'scan' | 'text'
