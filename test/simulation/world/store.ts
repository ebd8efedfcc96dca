/**
 * The store of a simulation. It keeps its data when a server is killed. The calls of one server may fail, and never
 * return after this server was killed.
 */
import { DatabaseSync } from 'node:sqlite'
import { type Around, aroundStore } from '../../../demo/around-store.ts'
import { BindError } from '../../../server/errors.ts'
import { createKeyedHash } from '../../../server/keys/keyed-hash.ts'
import type { openStore } from '../../../server/store/open-store.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { account } from './wechat.ts'

export type Row = Record<string, string | number | null>

export type Database = {
  openStore: typeof openStore
  /** Whether a server learns of the commits of other servers with a delay. */
  notifiesLate?: boolean
  rows(sql: string): Promise<Row[]> | Row[]
  /** Empties all tables for the next run. */
  clear(): Promise<void> | void
  /** The names of all tables. */
  tables(): Promise<string[]> | string[]
  close(): Promise<void>
}

export const hashOf = createKeyedHash(account.appSecret)

/** SQLite in memory. All servers share one store, as the instances of a cluster share PostgreSQL. */
export async function openSqliteDatabase(): Promise<Database> {
  const database = new DatabaseSync(':memory:')
  let hasWebhook: (tenant: string) => boolean = () => false
  const store = await openSqliteStore(
    { file: ':memory:', hashOf, hasWebhook: (tenant) => hasWebhook(tenant) },
    { openDatabase: () => database, openWal: () => Promise.reject(new Error('a database in memory has no log')) },
  )
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const tables = database
    .prepare(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like 'kysely%'",
    )
    .all()
    .map(({ name }) => String(name))
  return {
    async openStore(_, settings) {
      hasWebhook = settings.hasWebhook
      // A server that ends closes its store. The other servers must still be able to use the store, so this function
      // does nothing.
      return { ...store, close: async () => {} }
    },
    rows(sql) {
      const statement = statements.get(sql) ?? database.prepare(sql)
      statements.set(sql, statement)
      return statement.all() as Row[]
    },
    tables: () => tables,
    clear() {
      for (const table of tables) database.exec(`delete from ${table}`)
    },
    close: () => store.close(),
  }
}

/**
 * `before` and `after`: the call fails before or after its commit. `dies-before` and `dies-after`: the server is killed
 * before or after the commit, and the call never returns.
 */
export const faults = ['before', 'after', 'dies-before', 'dies-after'] as const
export type Fault = { call: number; kind: (typeof faults)[number] }

export type StoreView = ReturnType<typeof createStoreView>

const never = () => new Promise<never>(() => {})

type ViewDeps = {
  /** Called before each call, to determine the order of calls at the same time. */
  turn: () => Promise<void>
  onDeath: () => void
}

/** The store as one server uses it. */
export function createStoreView({ turn, onDeath }: ViewDeps) {
  let isDown = false
  let isDead = false
  let underway = 0
  let failures = 0
  let planned: Fault | undefined
  const removers: (() => void)[] = []

  function unavailable(): BindError {
    failures++
    return new BindError('STORE_UNAVAILABLE', 'The store did not answer: try again.')
  }

  function die(): Promise<never> {
    isDead = true
    for (const remove of removers) remove()
    onDeath()
    return never()
  }

  const around: Around = async (_, call) => {
    if (isDead) return never()
    underway++
    try {
      await turn()
      if (isDead) return never()
      if (isDown) throw unavailable()
      const kind = planned && planned.call-- <= 0 ? planned.kind : undefined
      if (kind !== undefined) planned = undefined
      if (kind === 'before') throw unavailable()
      if (kind === 'dies-before') return die()
      const result = await call()
      if (kind === 'after') throw unavailable()
      if (kind === 'dies-after') return die()
      return isDead ? never() : result
    } finally {
      underway--
    }
  }

  return {
    wrap(store: Store): Store {
      const view = aroundStore(store, around)
      return {
        ...view,
        onCommit(listener) {
          const remove = store.onCommit((notice) => {
            if (!isDead) listener(notice)
          })
          removers.push(remove)
          return remove
        },
      }
    },
    plan(fault: Fault | undefined): void {
      planned = fault && { ...fault }
    },
    hasPlan: () => planned !== undefined,
    setDown(down: boolean): void {
      isDown = down
    },
    isDown: () => isDown,
    kill(): void {
      void die()
    },
    underway: () => underway,
    /** The number of calls that have failed so far. */
    failures: () => failures,
  }
}
