/** The SQL that differs between SQLite and PostgreSQL. */
import { type RawBuilder, sql } from 'kysely'
import type { Engine } from './engine.ts'

/** PostgreSQL has several writers, so its query skips rows that another instance has locked. */
export const skipLocked = (engine: Engine) => (engine === 'postgres' ? sql`for update skip locked` : sql``)

/** Membership in a subquery's result. Given an array, PostgreSQL looks up each key instead of scanning the table. */
export const inSubquery = (engine: Engine, keys: RawBuilder<unknown>) =>
  engine === 'postgres' ? sql`= any(array(${keys}))` : sql`in (${keys})`

/** Membership in a JSON array of ids. All ids are one parameter, so the statement's text does not depend on their number. */
export const jsonIds = (engine: Engine, ids: string) =>
  engine === 'postgres'
    ? sql`= any(array(select json_array_elements_text(${ids}::json)::bigint))`
    : sql`in (select value from json_each(${ids}))`

/** A JSON array of `[event, receiver]` as a table. */
export const jsonPairs = (engine: Engine, pairs: string) =>
  engine === 'postgres'
    ? sql`(select (value->>0)::bigint as event, value->>1 as receiver from json_array_elements(${pairs}::json))`
    : sql`(select json_extract(value, '$[0]') as event, json_extract(value, '$[1]') as receiver from json_each(${pairs}))`

/** The types of the columns that `jsonRows` returns. */
export type JsonColumns<Name extends string = string> = Record<Name, 'text' | 'bigint'>

/** The rows of a JSON array of objects. The array is one parameter, so the text of the statement does not depend on the number of rows. */
export function jsonRows(engine: Engine, json: unknown, columns: JsonColumns): RawBuilder<unknown> {
  const names = Object.keys(columns)
  return engine === 'postgres'
    ? sql`select * from json_to_recordset(${json}::json) as made(${sql.join(names.map((name) => sql`${sql.ref(name)} ${sql.raw(columns[name]!)}`))})`
    : sql`select ${sql.join(names.map((name) => sql`value ->> ${sql.lit(name)} as ${sql.ref(name)}`))} from json_each(${json})`
}

/** Selects the texts of a JSON array, which is one parameter. */
export const jsonTexts = (engine: Engine, json: unknown): RawBuilder<unknown> =>
  engine === 'postgres'
    ? sql`select value from json_array_elements_text(${json}::json)`
    : sql`select value from json_each(${json})`
