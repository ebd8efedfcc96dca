/** Queries written once: Kysely checks their types and writes their text at the start, a plan only binds its parameters. */
import { type Compilable, CompiledQuery, type Kysely } from 'kysely'
import type { Plan, RunLater } from '../plan.ts'
import type { Tables } from './tables.ts'

type Query<P, Row> = (parameters: P) => Plan<{ rows: Row[]; changes: number }>

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
  return function* (given) {
    const bound = values.map((each) => (each.name === undefined ? each.value : given[each.name]))
    return (yield { text: sql, values: bound }) as { rows: Row[]; changes: number }
  }
}

/** On a connection of Kysely's. */
export const runOn =
  (db: Kysely<Tables>): RunLater =>
  async ({ text, values }) => {
    const { rows, numAffectedRows = 0n } = await db.executeQuery(CompiledQuery.raw(text, values))
    return { rows, changes: Number(numAffectedRows) }
  }
