/** `wechat-bind backup`, on a store that a server has open. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runBackup } from '../../../server/commands/backup.ts'
import { openStore } from '../../../server/store/open-store.ts'
import type { Store } from '../../../server/store/store.ts'

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }

let folder: string
let store: Store
let target: string
const printed: string[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  store = await openStore(`sqlite:${join(folder, 'bind.db')}`, settings)
  target = join(folder, 'backup.db')
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const backUp = (...args: string[]) =>
  // No other setting is needed.
  runBackup(args, { DATABASE_URL: `sqlite:${join(folder, 'bind.db')}` }, (line) => printed.push(line))

const identity = (userId: string) => ({ tenant: 'default', account: 'acme', userId })
const add = (userId: string) => store.write((tx) => tx.ensureUser(identity(userId)))

async function usersIn(file: string, ids: string[]): Promise<boolean[]> {
  const copy = await openStore(`sqlite:${file}`, settings)
  const users = await Promise.all(ids.map((id) => copy.user(identity(id))))
  await copy.close()
  return users.map(({ id }) => id > 0)
}

describe('wechat-bind backup', () => {
  test('copies the whole store while a server writes to it, to a file that only its owner may read', async () => {
    await add('before')
    const umask = process.umask(0)
    const writes = Promise.all(Array.from({ length: 50 }, (_, i) => add(`during-${i}`)))
    await backUp(target)
    process.umask(umask)
    await writes
    await add('after')
    expect(statSync(target).mode & 0o777).toBe(0o600)
    expect(printed.at(-2)).toContain(`${target}: ${statSync(target).size} bytes`)
    expect(await usersIn(target, ['before', 'after'])).toEqual([true, false])
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('refuses to overwrite a file without --force', async () => {
    writeFileSync(target, 'precious')
    await expect(backUp(target)).rejects.toThrow(/backup\.db exists: .*--force/)
    expect(readFileSync(target, 'utf8')).toBe('precious')
    await add('u1')
    await backUp(target, '--force')
    expect(statSync(target).mode & 0o777).toBe(0o600)
    expect(await usersIn(target, ['u1'])).toEqual([true])
  })

  test('leaves no file when it fails, and prints the fix', async () => {
    await expect(backUp(join(folder, 'none', 'backup.db'))).rejects.toThrow(
      /cannot be written \(ENOENT\): .*existing folder/,
    )
    await add('u1')
    await expect(backUp(folder, '--force')).rejects.toThrow(
      /cannot be written \(\w+\): the name must be that of a file/,
    )
    const env = { DATABASE_URL: `sqlite:${join(folder, 'other.db')}` }
    await expect(runBackup([target], env, () => {})).rejects.toThrow(/there is no database at .*other\.db/)
    expect([existsSync(target), existsSync(join(folder, 'other.db'))]).toEqual([false, false])
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
    await expect(backUp()).rejects.toThrow('wechat-bind backup <file> [--force]')
  })

  describe('on PostgreSQL', () => {
    const url = 'postgres://bind:hu%40sh@127.0.0.1:1/bind?sslmode=disable'
    const path = process.env.PATH
    afterEach(() => {
      process.env.PATH = path
    })

    const dump = () => runBackup([target], { DATABASE_URL: url }, (line) => printed.push(line))

    /** A stand-in for `pg_dump`, which prints its arguments and environment. */
    function install(script: string): void {
      writeFileSync(join(folder, 'pg_dump'), `#!/bin/sh\n${script}\n`)
      chmodSync(join(folder, 'pg_dump'), 0o755)
      process.env.PATH = `${folder}:${path}`
    }

    test('runs pg_dump, with the password in its environment and not among its arguments', async () => {
      install('file=$(echo "$2" | cut -d= -f2); echo "$PGPASSWORD $*" > "$file"')
      await dump()
      const given = readFileSync(target, 'utf8')
      expect(given).toMatch(
        /^hu@sh --format=custom --file=\S+ --dbname=postgres:\/\/bind@127\.0\.0\.1:1\/bind\?sslmode=disable\n$/,
      )
      expect(statSync(target).mode & 0o777).toBe(0o600)
    })

    test('shows the error of pg_dump, and prints how to install a missing pg_dump', async () => {
      install('echo "pg_dump: error: server version mismatch" >&2; exit 1')
      await expect(dump()).rejects.toThrow('could not be copied: pg_dump: error: server version mismatch')
      process.env.PATH = join(folder, 'nowhere')
      await expect(dump()).rejects.toThrow(/pg_dump, which is not on the PATH: install .*postgresql-client/)
      expect(existsSync(target)).toBe(false)
    })
  })
})
