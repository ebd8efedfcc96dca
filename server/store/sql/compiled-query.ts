/**
 * Compiled queries: Kysely checks the types of a query and compiles it to SQL once, when the store opens. A plan only binds the
 * parameters. Compiling at every run took most of a query's time in a CPU profile.
 *
 * The query is built once with a placeholder for each parameter. Kysely returns the SQL text and a list of values, in which the
 * placeholders mark the positions of the parameters. Code that builds a query must not test a parameter (`if (p.x)`), because it
 * runs only once and gets a placeholder instead of the value.
 */
import { type Compilable, CompiledQuery, type Kysely, type RawBuilder } from 'kysely'
import type { Plan, RunAsync } from '../plan.ts'
import type { Tables } from './tables.ts'

type Query<P, Row> = (parameters: P) => Plan<{ rows: Row[]; changes: number }>

/** The placeholder of the parameter `name` while a query is built. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export function query<P extends object, Row>(build: (parameters: P) => Compilable<Row>): Query<P, Row> {
  const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as P
  const { sql, parameters } = build(placeholders).compile()
  const values = parameters.map((value) => (value instanceof Placeholder ? { name: value.name as keyof P } : { value }))
  return function* (given) {
    const bound = values.map((each) => (each.name === undefined ? each.value : given[each.name]))
    return (yield { text: sql, values: bound }) as { rows: Row[]; changes: number }
  }
}

/** Raw SQL in the form that `query` expects. */
export const compilable = <Row>(db: Kysely<Tables>, raw: RawBuilder<Row>): Compilable<Row> => ({
  compile: () => raw.compile(db),
})

/** Runs statements on one of Kysely's connections. */
export const runOn =
  (db: Kysely<Tables>): RunAsync =>
  async ({ text, values }) => {
    const { rows, numAffectedRows = 0n } = await db.executeQuery(CompiledQuery.raw(text, values))
    return { rows, changes: Number(numAffectedRows) }
  }

/** A query builder of Kysely, or raw SQL. */
type Compiles = { compile(db: Kysely<Tables>): CompiledQuery<unknown> }

/** Builds and runs a query whose conditions depend on its parameters. Compiling it takes about 0.1 ms. */
export function* runQuery<Row>(db: Kysely<Tables>, built: Compiles): Plan<Row[]> {
  const { sql: text, parameters } = built.compile(db)
  return (yield { text, values: [...parameters] }).rows as Row[]
}

const PAGE_SIZES = [11, 101, 501, 1001]

/**
 * The rows to read for a page of `limit` rows. The number is part of the SQL text, because for a parameter PostgreSQL plans to read a
 * tenth of the table. There are few sizes, because every connection prepares a statement for each text.
 */
export function pageSize(limit: number): number {
  const size = PAGE_SIZES.find((each) => each >= limit)
  if (size === undefined) throw new RangeError(`a page has at most ${PAGE_SIZES.at(-1)} rows`)
  return size
}
