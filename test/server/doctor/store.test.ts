import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectStore } from '../../../server/doctor/inspect-store.ts'
import { checkStore } from '../../../server/doctor/store.ts'
import { openStore } from '../../../server/store/open-store.ts'
import { newDatabase } from '../../support/databases.ts'
import { query } from '../../support/postgres.ts'
import { idsOf } from './doctor-fixture.ts'

const settings = { hashOf: (...parts: string[]) => JSON.stringify(parts), hasWebhook: () => false }

const found = async (databaseUrl: string) => idsOf([await checkStore(databaseUrl, inspectStore)])[0]
const use = async (databaseUrl: string) => (await openStore(databaseUrl, settings)).close()

describe('checkStore on SQLite', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    file = join(folder, 'bind.db')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const change = (text: string) => {
    const database = new DatabaseSync(file)
    database.exec(text)
    database.close()
  }

  test('creates no file if none exists', async () => {
    expect(await found(`sqlite:${join(folder, 'deep', 'bind.db')}`)).toBe('store.new ok')
    expect(await found('sqlite::memory:')).toBe('store.new ok')
    expect(existsSync(join(folder, 'deep'))).toBe(false)
  })

  test('finds the tables of this version up to date', async () => {
    await use(`sqlite:${file}`)
    expect(await found(`sqlite:${file}`)).toBe('store.ok ok')
  })

  test('finds older and newer tables, and changes nothing', async () => {
    await use(`sqlite:${file}`)
    change("INSERT INTO kysely_migration VALUES ('9999-later', '2030-01-01')")
    expect(await found(`sqlite:${file}`)).toBe('store.ahead wrong')
    change('DELETE FROM kysely_migration')
    expect(await found(`sqlite:${file}`)).toBe('store.behind warn')
    expect(await found(`sqlite:${file}`)).toBe('store.behind warn')
  })

  test('reports a file that is not a database or cannot be created', async () => {
    writeFileSync(file, 'text that is longer than the header of a database file '.repeat(20))
    expect(await found(`sqlite:${file}`)).toBe('store.unreachable wrong')
    expect(await found(`sqlite:${folder}`)).toBe('store.unreachable wrong')
    expect(await found(`sqlite:${join(file, 'none', 'bind.db')}`)).toBe('store.unreachable wrong')
  })

  test('reports a file that another program keeps locked', async () => {
    await use(`sqlite:${file}`)
    const holder = new DatabaseSync(file)
    holder.exec('BEGIN IMMEDIATE')
    expect(await found(`sqlite:${file}`)).toBe('store.unreachable wrong')
    holder.close()
  })
})

describe('checkStore on PostgreSQL', () => {
  test('reports a new database, and later the same database in use, and changes nothing', async () => {
    const url = await newDatabase()
    expect(await found(url)).toBe('store.new ok')
    expect(await found(url)).toBe('store.new ok')
    await use(url)
    expect(await found(url)).toBe('store.ok ok')
    await query(url, 'delete from kysely_migration')
    expect(await found(url)).toBe('store.behind warn')
  })

  test('reports a database that cannot be opened, without the password', async () => {
    const url = new URL(await newDatabase())
    url.password = 'hidden'
    url.pathname = '/absent'
    const finding = await checkStore(url.href, inspectStore)
    expect(idsOf([finding])).toEqual(['store.unreachable wrong'])
    url.port = '1'
    const refused = await checkStore(url.href, inspectStore)
    expect(idsOf([refused])).toEqual(['store.unreachable wrong'])
    expect(JSON.stringify([finding, refused])).not.toContain('hidden')
  })
})
