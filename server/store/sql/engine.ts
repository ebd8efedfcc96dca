/** The two engines, and a database handle whose tables are not yet known. */
import type { Kysely } from 'kysely'

export type Engine = 'sqlite' | 'postgres'

// biome-ignore lint/suspicious/noExplicitAny: a migration runs on tables of every version
export type AnyDb = Kysely<any>
