import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkStore } from '../../../server/doctor/store.ts'
import { lookAtStore } from '../../../server/doctor/store-look.ts'
import { openStore } from '../../../server/store/open-store.ts'
import { type Postgres, query, startPostgres } from '../../support/postgres.ts'
import { idsOf } from './doctor-fixture.ts'

const settings = { hashOf: (...parts: string[]) => JSON.stringify(parts), hasWebhook: () => false }

const found = async (databaseUrl: string) => idsOf([await checkStore(databaseUrl, lookAtStore)])[0]
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

  test('makes no file where there is none yet', async () => {
    expect(await found(`sqlite:${join(folder, 'deep', 'bind.db')}`)).toBe('store.new ok')
    expect(await found('sqlite::memory:')).toBe('store.new ok')
    expect(existsSync(join(folder, 'deep'))).toBe(false)
  })

  test('finds the tables current that the server made', async () => {
    await use(`sqlite:${file}`)
    expect(await found(`sqlite:${file}`)).toBe('store.ok ok')
  })

  test('finds them older or newer, and leaves them so', async () => {
    await use(`sqlite:${file}`)
    change("INSERT INTO kysely_migration VALUES ('9999-later', '2030-01-01')")
    expect(await found(`sqlite:${file}`)).toBe('store.ahead wrong')
    change('DELETE FROM kysely_migration')
    expect(await found(`sqlite:${file}`)).toBe('store.behind warn')
    expect(await found(`sqlite:${file}`)).toBe('store.behind warn')
  })

  test('says when the file is no database, or cannot be made', async () => {
    writeFileSync(file, 'a letter to a friend, long enough to be read as the head of a file '.repeat(20))
    expect(await found(`sqlite:${file}`)).toBe('store.unreachable wrong')
    expect(await found(`sqlite:${folder}`)).toBe('store.unreachable wrong')
    expect(await found(`sqlite:${join(file, 'none', 'bind.db')}`)).toBe('store.unreachable wrong')
  })

  test('says when another program keeps the file locked', async () => {
    await use(`sqlite:${file}`)
    const holder = new DatabaseSync(file)
    holder.exec('BEGIN IMMEDIATE')
    expect(await found(`sqlite:${file}`)).toBe('store.unreachable wrong')
    holder.close()
  })
})

describe('checkStore on PostgreSQL', () => {
  let postgres: Postgres
  beforeAll(async () => {
    postgres = await startPostgres()
  }, 30_000)
  afterAll(() => postgres.remove())

  test('finds a database new, then in use, and leaves it as it is', async () => {
    const url = await postgres.newDatabase()
    expect(await found(url)).toBe('store.new ok')
    expect(await found(url)).toBe('store.new ok')
    await use(url)
    expect(await found(url)).toBe('store.ok ok')
    await query(url, 'delete from kysely_migration')
    expect(await found(url)).toBe('store.behind warn')
  })

  test('says when it cannot be opened, and does not show the password', async () => {
    const url = new URL(await postgres.newDatabase())
    url.password = 'hidden'
    url.pathname = '/absent'
    const finding = await checkStore(url.href, lookAtStore)
    expect(idsOf([finding])).toEqual(['store.unreachable wrong'])
    url.port = '1'
    const refused = await checkStore(url.href, lookAtStore)
    expect(idsOf([refused])).toEqual(['store.unreachable wrong'])
    expect(JSON.stringify([finding, refused])).not.toContain('hidden')
  })
})
