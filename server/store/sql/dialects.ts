/** The SQL that differs between SQLite and PostgreSQL. */
import { type RawBuilder, sql } from 'kysely'
import type { Engine } from './engine.ts'

/** PostgreSQL has several writers, so its query skips rows that another instance has locked. */
export const skipLocked = (engine: Engine) => (engine === 'postgres' ? sql`for update skip locked` : sql``)

/** Membership in a subquery's result. Given an array, PostgreSQL looks up each key instead of scanning the table. */
export const inSubquery = (engine: Engine, keys: RawBuilder<unknown>) =>
  engine === 'postgres' ? sql`= any(array(${keys}))` : sql`in (${keys})`

/** Membership in a list of ids, as one parameter: a list of parameters would be another statement for each length. */
export const inList = (engine: Engine, ids: number[]) =>
  engine === 'postgres' ? sql`= any(${ids}::bigint[])` : sql`in (select value from json_each(${JSON.stringify(ids)}))`
