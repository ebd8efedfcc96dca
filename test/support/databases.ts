/** New databases on the PostgreSQL server that all test files share. */
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { openPostgresStore } from '../../server/store/postgres/postgres-store.ts'
import { query, withDatabase } from './postgres.ts'

async function findServer(): Promise<string> {
  const response = await fetch(inject('postgresService'))
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

let server: Promise<string> | undefined
let migrated: Promise<string> | undefined

async function create(more = ''): Promise<string> {
  server ??= findServer()
  const url = await server
  const name = `test_${randomBytes(8).toString('hex')}`
  await query(url, `create database ${name} ${more}`)
  return withDatabase(url, name)
}

/** Creates an empty database and returns its URL. */
export const newDatabase = () => create()

/**
 * Creates a database with the store's empty tables and returns its URL. This takes a third of the time that the
 * migrations take in an empty database.
 */
export async function newMigratedDatabase(): Promise<string> {
  migrated ??= createTemplate()
  return create(`template ${new URL(await migrated).pathname.slice(1)}`)
}

async function createTemplate(): Promise<string> {
  const url = await create()
  const store = await openPostgresStore({ url, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  await store.close()
  return url
}
