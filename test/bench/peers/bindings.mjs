/**
 * Stores the bindings of a peer in a simple and correct way: with better-sqlite3, in one transaction for each message.
 * The data is on the disk before the answer.
 */
import Database from 'better-sqlite3'

/**
 * `file` is a database with the tables of `bindings.sql`. `bind` returns the user's name, or undefined if nobody was
 * bound.
 */
export function openBindings(file) {
  const db = new Database(file)
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = full')
  const ticketOf = db.prepare('select user, openid from tickets where scene = ?')
  const ownerOf = db.prepare('select user from bindings where openid = ?').pluck()
  const addBinding = db.prepare(
    'insert into bindings (user, openid, bound_at) values (?, ?, ?) on conflict (user) do update set openid = excluded.openid, bound_at = excluded.bound_at',
  )
  const useTicket = db.prepare('update tickets set openid = ? where scene = ?')
  let commits = 0

  const bind = db.transaction((scene, openid) => {
    const ticket = ticketOf.get(scene)
    // A repeated delivery gets the reply of the first delivery.
    if (ticket === undefined || ticket.openid !== null) return ticket?.openid === openid ? ticket.user : undefined
    if ((ownerOf.get(openid) ?? ticket.user) !== ticket.user) return undefined
    addBinding.run(ticket.user, openid, Date.now())
    useTicket.run(openid, scene)
    commits++
    return ticket.user
  })
  return { bind, commits: () => commits }
}
