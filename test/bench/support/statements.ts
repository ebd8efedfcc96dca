/** Runs SQL statements on the database of a store, because the store itself would take long to add many rows. */
import { DatabaseSync } from 'node:sqlite'
import { query } from '../../support/postgres.ts'

export const isSqlite = (url: string) => url.startsWith('sqlite:')

/** Inserts `rows` rows. `values` is a list of SQL expressions of `n`, which is 1 in the first row. */
export const insertRows = (rows: number, into: string, values: string) =>
  `insert into ${into} with recursive i(n) as (select cast(1 as bigint) union all select n + 1 from i where n < ${rows}) select ${values} from i`

export async function runStatements(url: string, statements: string[]): Promise<void> {
  if (!isSqlite(url)) {
    for (const text of statements) await query(url, text)
    return
  }
  const database = new DatabaseSync(url.slice('sqlite:'.length))
  database.exec(`pragma synchronous = off; begin; ${statements.join(';')}; commit`)
  database.close()
}
