/** The settings of a unit of work, and the part of a user that it caches. */
import type { Kysely } from 'kysely'
import type { User } from '../store.ts'
import type { Tables } from './tables.ts'

export type Db = Kysely<Tables>

/** A keyed hash in base64url, stored in place of an id that may not be kept. */
export type KeyedHash = (...parts: string[]) => string

export type TxSettings = {
  hashOf: KeyedHash
  /** Whether the tenant has a webhook, so that its changes go to the outbox. */
  hasWebhook: (tenant: string) => boolean
  /** Called when a unit of work removes WeChat's ids from the tables. It may be rolled back afterwards. */
  onErase?: () => void
}

/** The part of a user that `bumpVersion` needs. The unit caches it, because another read would take 3 us. */
export type VersionedUser = Pick<User, 'identity' | 'version' | 'reason'>
