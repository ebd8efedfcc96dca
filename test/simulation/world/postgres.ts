/**
 * PostgreSQL as the store of a simulation. Each server opens its own connections, and notifications tell it about the
 * commits of other servers.
 */
import pg from 'pg'
import { openStore } from '../../../server/store/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import type { Database, Row } from './store.ts'

/** `url` is the URL of a database that only this simulation uses. */
export async function openPostgresDatabase(url: string): Promise<Database> {
  let opened: Store[] = []
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()

  async function closeAll(): Promise<void> {
    const all = opened
    opened = []
    await Promise.all(all.map((store) => store.close()))
  }

  async function tables(): Promise<string[]> {
    const { rows } = await client.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%'",
    )
    return rows.map(({ name }) => name)
  }

  return {
    notifiesLate: true,
    async openStore(_, settings) {
      const store = await openStore(url, settings)
      opened.push(store)
      // A killed server does not close its connections. The simulation closes them at the end of the story.
      return { ...store, close: async () => {} }
    },
    rows: async (sql) => (await client.query<Row>(sql)).rows,
    tables,
    async clear() {
      await closeAll()
      const all = await tables()
      if (all.length > 0) await client.query(`truncate ${all.join(', ')}`)
    },
    async close() {
      await closeAll()
      await client.end()
    },
  }
}
