/** Opens the store that `DATABASE_URL` names. NODE. */
import type { TxSettings } from './sql/changes.ts'
import type { Store } from './store.ts'

const SQLITE = 'sqlite:'

/** Imports the driver of the chosen engine, and no other driver. */
export async function openStore(databaseUrl: string, settings: TxSettings): Promise<Store> {
  if (databaseUrl.startsWith(SQLITE)) {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts')
    return openSqliteStore({ file: databaseUrl.slice(SQLITE.length), ...settings })
  }
  const { openPostgresStore } = await import('./postgres/postgres-store.ts')
  return openPostgresStore({ url: databaseUrl, ...settings })
}
