/** The identity of a user, and the enumerations that every part of the store uses. */
import type { UnbindReason } from '../wire.ts'

/** Opaque ids, compared byte by byte. The same ids in two tenants are two users. */
export type Identity = { tenant: string; account: string; userId: string }

/** A string that is different for each identity, used as a key of maps. */
export const identityKey = ({ tenant, account, userId }: Identity) => JSON.stringify([tenant, account, userId])

/** The languages of the replies in the chat. */
export type Language = 'zh-CN' | 'zh-TW' | 'en'

/** `scan`: the user was bound by a scan. `text`: by a code sent as a chat message. `import`: by an operator's file. `oauth`: by web authorization. */
export type BindReason = 'scan' | 'text' | 'import' | 'oauth'

/** Which part of a binding has changed. `openid`: the binding was moved to another AppID. */
export type UpdateReason = 'unionid' | 'subscribed' | 'unsubscribed' | 'openid'

export type EventType = 'bound' | 'unbound' | 'updated'

export type EventReason = BindReason | UnbindReason | UpdateReason

/** `ids` as they are on the wire. */
export const toIdentity = (tenant: string, ids: { Account: string; User_ID: string }): Identity => ({
  tenant,
  account: ids.Account,
  userId: ids.User_ID,
})
