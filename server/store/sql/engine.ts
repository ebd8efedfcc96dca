/** The names of the two engines, and a database handle for migrations. */
import type { Kysely } from 'kysely'

export type Engine = 'sqlite' | 'postgres'

// biome-ignore lint/suspicious/noExplicitAny: the tables differ from migration to migration
export type AnyDb = Kysely<any>
