import { hash } from 'node:crypto'
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../../server/store/sql/engine.ts'
import { migrations } from '../../../../server/store/sql/migrations.ts'

/** SHA-256 of the SQL of each released migration. A new migration adds a line; a line never changes. */
const released: Record<Engine, Record<string, string>> = {
  sqlite: {
    '0001-first': 'e1be8791b4b141fc',
    '0002-standard-names': 'b340eef11bd72394',
    '0003-limits': '81c4785b5ed41c77',
    '0004-event-ids': '2bc744ecdb7b82be',
    '0005-webhook-queues': '11f57af6aa201620',
    '0006-notices': '1e8b66f713db7560',
    '0007-bindings-as-data': '84d0031e22e68d2e',
    '0008-authorizations': 'e7d756d830e14db7',
    '0009-console': 'ac11b57f05ff1328',
  },
  postgres: {
    '0001-first': 'c9f3c80832644055',
    '0002-standard-names': 'f38f10a70f17c78b',
    '0003-limits': 'b3c480f8cd554bc9',
    '0004-event-ids': '2bc744ecdb7b82be',
    '0005-webhook-queues': '1647ee941c56ae6a',
    '0006-notices': '1e8b66f713db7560',
    '0007-bindings-as-data': '84d0031e22e68d2e',
    '0008-authorizations': 'e266567dd721f060',
    '0009-console': '626d40a3bff91dd4',
  },
}

const dialects = {
  sqlite: {
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
  postgres: {
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
}

/** The statements of a migration, recorded without a database. */
async function statementsOf(engine: Engine, name: string): Promise<string[]> {
  const statements: string[] = []
  const log = ({ query }: { query: CompiledQuery }) => void statements.push(query.sql)
  const db = new Kysely<unknown>({ dialect: { ...dialects[engine], createDriver: () => new DummyDriver() }, log })
  await migrations(engine)[name]!.up(db)
  return statements
}

describe.each(['sqlite', 'postgres'] as const)('migrations on %s', (engine) => {
  test('have the SQL and the order of the released migrations', async () => {
    const hashes: Record<string, string> = {}
    for (const name of Object.keys(migrations(engine))) {
      hashes[name] = hash('sha256', (await statementsOf(engine, name)).join(';\n'), 'hex').slice(0, 16)
    }
    expect(hashes).toEqual(released[engine])
    expect(Object.keys(hashes)).toEqual(Object.keys(hashes).toSorted())
  })
})
