/** Runs a query on an SQLite connection, past Kysely's driver. NODE. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Run } from './query.ts'

/** Prepares each text once. Kysely's own way to the same statement is longer. */
export function createRun(database: DatabaseSync): Run {
  const known = new Map<string, { statement: StatementSync; isReader: boolean }>()

  function prepared(text: string) {
    const found = known.get(text)
    if (found) return found
    const statement = database.prepare(text)
    const made = { statement, isReader: statement.columns().length > 0 }
    known.set(text, made)
    return made
  }

  return async (text, values) => {
    const { statement, isReader } = prepared(text)
    if (isReader) return { rows: statement.all(...(values as SQLInputValue[])), changes: 0 }
    return { rows: [], changes: Number(statement.run(...(values as SQLInputValue[])).changes) }
  }
}
