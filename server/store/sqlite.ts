/** The store in one SQLite file: WAL, and every commit synced to the disk before it is answered. NODE. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { BindError } from '../errors.ts'
import { createGroup } from './group.ts'
import { migrateToLatest } from './migrations.ts'
import type { Tables } from './schema.ts'
import { createOutbox } from './sql-outbox.ts'
import { createReads } from './sql-reads.ts'
import { createTx, type TxSettings } from './sql-tx.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'
import type { Committed, Store, Tx } from './store.ts'

export type SqliteOptions = {
  /** A path, or `:memory:`. */
  file: string
} & TxSettings

/** Opens the file, making it and its folder where there is none, and brings its tables up to date. */
export async function openSqliteStore({ file, ...settings }: SqliteOptions): Promise<Store> {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file)
  // A backup may hold the lock for a moment; longer than a second is a fault that a callback must hear of.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 1000')
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) })
  await migrateToLatest(db, 'sqlite')

  const listeners = new Set<(committed: Committed) => void>()

  async function runAll(works: ((tx: Tx) => Promise<unknown>)[]): Promise<unknown[]> {
    const touched = new Map<number, Committed>()
    const results = await db.connection().execute(async (connection) => {
      await sql`begin immediate`.execute(connection)
      try {
        const done: unknown[] = []
        for (const work of works) done.push(await work(createTx(connection, settings, touched)))
        await sql`commit`.execute(connection)
        return done
      } catch (error) {
        // After some faults (a full disk) SQLite has rolled back by itself, and says so.
        await sql`rollback`.execute(connection).catch(() => {})
        throw error
      }
    })
    for (const committed of touched.values()) for (const listener of listeners) listener(committed)
    return results
  }

  const group = createGroup<Tx>(runAll)
  return {
    ...createReads(db, guarded),
    outbox: createOutbox(db, guarded),
    write: (work) => guarded(group.write(work)),
    onCommit(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      await group.idle()
      await db.destroy()
    },
  }
}

/** A refusal passes; a fault of the engine becomes `STORE_UNAVAILABLE`, its text kept for the log alone. */
async function guarded<T>(result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (cause) {
    if (cause instanceof BindError) throw cause
    throw new BindError('STORE_UNAVAILABLE', 'The store did not take the request: try again.', { cause })
  }
}
