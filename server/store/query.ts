/** Queries written once: Kysely checks their types and writes their text at the start, a run only binds its parameters. */
import { type Compilable, CompiledQuery, type Kysely } from 'kysely'
import type { Tables } from './schema.ts'

/** Runs a text on one connection. `changes`: how many rows it wrote. */
export type Run = (text: string, values: unknown[]) => Promise<{ rows: unknown[]; changes: number }>

export type Query<P, Row> = (run: Run, parameters: P) => Promise<{ rows: Row[]; changes: number }>

/** Stands in a query for a parameter that each run gives. */
class Marker {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** `build` gets its parameters as markers, and puts each where a value belongs: it must not look at them. */
export function query<P extends object, Row>(build: (parameters: P) => Compilable<Row>): Query<P, Row> {
  const markers = new Proxy({}, { get: (_, name) => new Marker(String(name)) }) as P
  // By profile, writing a query anew at each run took most of its time.
  const { sql, parameters } = build(markers).compile()
  const values = parameters.map((value) => (value instanceof Marker ? { name: value.name as keyof P } : { value }))
  return (run, given) => {
    const bound = values.map((each) => (each.name === undefined ? each.value : given[each.name]))
    return run(sql, bound) as Promise<{ rows: Row[]; changes: number }>
  }
}

/** On a connection of Kysely's. */
export const runOn =
  (db: Kysely<Tables>): Run =>
  async (text, values) => {
    const { rows, numAffectedRows = 0n } = await db.executeQuery(CompiledQuery.raw(text, values))
    return { rows, changes: Number(numAffectedRows) }
  }
