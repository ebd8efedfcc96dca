/** Opens the store that `DATABASE_URL` names. Node only. */
import type { SetTimer } from '../platform.ts'
import type { TxSettings } from './sql/tx-settings.ts'
import type { Store } from './store.ts'

const SQLITE = 'sqlite:'

type Settings = TxSettings & {
  setTimer?: SetTimer | undefined
  /** The process is a command, which ends soon and should take little memory. */
  isCommand?: boolean
}

/** Imports the driver of the chosen engine, and no other driver. */
export async function openStore(databaseUrl: string, { setTimer, isCommand, ...settings }: Settings): Promise<Store> {
  if (databaseUrl.startsWith(SQLITE)) {
    const { openSqliteStore } = await import('./sqlite/sqlite-store.ts')
    return openSqliteStore({ file: databaseUrl.slice(SQLITE.length), setTimer, isCommand, ...settings })
  }
  const { openPostgresStore } = await import('./postgres/postgres-store.ts')
  return openPostgresStore({ url: databaseUrl, isCommand, ...settings })
}
