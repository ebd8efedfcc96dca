import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { describe, expect, test } from 'vitest'
import { migrateToLatest } from '../../../../server/store/sql/migrations.ts'
import type { Tables } from '../../../../server/store/sql/tables.ts'
import { nodeSqliteDialect } from '../../../../server/store/sqlite/dialect.ts'

type Columns = Record<string, string[]>

const textOf = (file: string) => readFileSync(new URL(`../../../../server/store/${file}`, import.meta.url), 'utf8')

/** The tables and columns that the migrations create, sorted. */
async function migratedTables(): Promise<Columns> {
  const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(new DatabaseSync(':memory:')) })
  await migrateToLatest(db, 'sqlite')
  const tables = await db.introspection.getTables()
  await db.destroy()
  return Object.fromEntries(tables.map(({ name, columns }) => [name, columns.map((column) => column.name).sort()]))
}

/** Reads the type `Tables`, in which each table is a member `name: { … }` with an indent of two. */
function declaredTables(): Columns {
  const members = textOf('sql/tables.ts').matchAll(/^ {2}(\w+): \{([\s\S]*?)\}$/gm)
  return Object.fromEntries(
    [...members].map(([, name, body = '']) => [
      name,
      [...body.matchAll(/(\w+): /g)].map(([, column]) => column!).sort(),
    ]),
  )
}

/** Reads the README, which has a heading for each table and the columns as code in the first cells below the heading. */
function describedTables(): Columns {
  const [, schema = ''] = textOf('README.md').split('## Storage schema')
  const sections = schema.split(/^### /m).slice(1)
  return Object.fromEntries(
    sections.map((section) => {
      const cells = [...section.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell)
      return [/^\w+/.exec(section)?.[0], cells.flatMap((cell) => cell.match(/(?<=`)\w+(?=`)/g) ?? []).sort()]
    }),
  )
}

describe('the storage schema', () => {
  test('is the same in the migrations, the type `Tables` and the README', async () => {
    const tables = await migratedTables()
    expect(Object.keys(tables)).toHaveLength(21)
    expect(declaredTables()).toEqual(tables)
    expect(describedTables()).toEqual(tables)
  })
})
