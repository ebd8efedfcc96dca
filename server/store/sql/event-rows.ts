/** Converts a row of the feed or of a queue to the event that readers and receivers get. */
import type { BindingEvent } from '../event-feed.ts'

export type BindingEventRow = {
  uid: string | null
  type: BindingEvent['type']
  reason: BindingEvent['reason']
  version: number
  at: number
  tenant: string
  account: string
  user_id: string
  app_id: string | null
  openid: string | null
  unionid: string | null
}

/** Events of versions before 0004 have no `uid`. */
export const toUid = ({ id, uid }: { id: number; uid: string | null }) => uid ?? `evt_${id}`

export const toBindingEvent = (id: number, row: BindingEventRow): BindingEvent => ({
  uid: toUid({ id, uid: row.uid }),
  identity: { tenant: row.tenant, account: row.account, userId: row.user_id },
  type: row.type,
  reason: row.reason,
  version: row.version,
  at: row.at,
  appId: row.app_id,
  openid: row.openid,
  unionid: row.unionid,
})
