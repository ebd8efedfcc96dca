/** Writes a scan to SQLite with the fewest statements: to a table of its own, or to the tables of this server. */
import type { DatabaseSync } from 'node:sqlite'
import { newEventUid } from '../../../server/store/sql/changes.ts'

type Add = (openid: string, scene: string) => void

/** One row per scan. The row can be found by its openid. */
export function addOneRow(db: DatabaseSync): Add {
  db.exec('create table bindings (openid text primary key, scene text not null) without rowid')
  const insert = db.prepare('insert into bindings (openid, scene) values (?, ?)')
  return (openid, scene) => insert.run(openid, scene)
}

type TicketRow = { id: number; user: number; tenant: string; account: string; version: number; label: string }

/**
 * Reads the ticket, its user and the owner of the openid. Writes the binding, the used ticket, the user's new version and
 * the event. `db` is a copy of the file of the measured server.
 */
export function addAllRows(db: DatabaseSync, appId: string): Add {
  // The same memory as in the server (`sqlite-store.ts`).
  db.exec('pragma cache_size = -32000; pragma mmap_size = 1073741824')
  const ticketOf = db.prepare(
    `select tickets.id, tickets.user, tickets.label, users.tenant, users.account, users.version
     from tickets join users on users.id = tickets.user where scene = ? and state = 'pending' and expires_at > ?`,
  )
  const ownerOf = db.prepare('select user from bindings where openid = ? and app_id = ?')
  const bind = db.prepare(
    `insert into bindings (user, tenant, account, app_id, openid, unionid_due, subscribed, bound_at, event_time, label, lang, version)
     values (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, 'zh', ?)`,
  )
  const useTicket = db.prepare(`update tickets set state = 'used', used_by = ? where id = ?`)
  const bumpVersion = db.prepare('update users set version = ? where id = ?')
  const addEvent = db.prepare(
    `insert into events (user, version, type, reason, at, uid, tenant) values (?, ?, 'bound', 'scan', ?, ?, ?)`,
  )
  return (openid, scene) => {
    const now = Date.now()
    const { id, user, tenant, account, version, label } = ticketOf.get(scene, now) as TicketRow
    if (ownerOf.get(openid, appId)) throw new Error('the benchmark sends every openid once')
    const next = version + 1
    bind.run(user, tenant, account, appId, openid, now, now, Math.floor(now / 1000), label, next)
    useTicket.run(scene, id)
    bumpVersion.run(next, user)
    addEvent.run(user, next, now, newEventUid(), tenant)
  }
}
