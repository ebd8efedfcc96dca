/** PostgreSQL as the store of a simulation. Each server opens it for itself, and hears of the others' commits by notifications. */
import pg from 'pg'
import { openStore } from '../../../server/store/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { type Database, type Row, TABLES } from './store.ts'

/** `url`: a database of its own. */
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

  return {
    notifiesLate: true,
    async openStore(_, settings) {
      const store = await openStore(url, settings)
      opened.push(store)
      // A killed server closes nothing. Its connections end with the story.
      return { ...store, close: async () => {} }
    },
    rows: async (sql) => (await client.query<Row>(sql)).rows,
    async clear() {
      await closeAll()
      const { rows } = await client.query("select to_regclass('users') as found")
      if (rows[0].found !== null) await client.query(`truncate ${TABLES.join(', ')}`)
    },
    async close() {
      await closeAll()
      await client.end()
    },
  }
}
