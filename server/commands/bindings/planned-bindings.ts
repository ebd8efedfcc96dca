/**
 * Keeps the changes that a dry run has planned, in a temporary SQLite database. So a file of a million lines takes no more memory
 * than a small one. Node only.
 */
import { DatabaseSync } from 'node:sqlite'
import type { PlannedBinding, PlannedBindings } from '../../binding/import.ts'
import { identityKey } from '../../store/identity.ts'

export function openPlannedBindings(): PlannedBindings & { close(): void } {
  // SQLite moves a database without a name from memory to a temporary file when it grows, and deletes the file at the end.
  const db = new DatabaseSync('')
  db.exec(`
    create table planned (user text primary key, openid text, change text not null) without rowid;
    create index planned_openid on planned (openid);
    pragma synchronous = off; pragma journal_mode = off;`)
  const byUser = db.prepare('select change from planned where user in (select value from json_each(?))')
  const byOpenid = db.prepare('select change from planned where openid in (select value from json_each(?))')
  const replace = db.prepare('replace into planned (user, openid, change) values (?, ?, ?)')
  const parse = ({ change }: Record<string, unknown>) => JSON.parse(change as string) as PlannedBinding
  return {
    find: (identities, lines) =>
      [
        ...byUser.all(JSON.stringify(identities.map(identityKey))),
        ...byOpenid.all(JSON.stringify(lines.map(openidKey))),
      ].map(parse),
    save(changes) {
      for (const change of changes) {
        replace.run(identityKey(change.identity), openidKey(change), JSON.stringify(change))
      }
    },
    close: () => db.close(),
  }
}

const openidKey = ({ identity, binding }: PlannedBinding) =>
  binding ? JSON.stringify([identity.tenant, binding.appId, binding.openid]) : null
