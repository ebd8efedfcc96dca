import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteStore } from '../../../../server/store/sqlite/sqlite-store.ts'

const settings = { hashOf: String, hasWebhook: () => false }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-modes-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const modesOf = (file: string) => ['', '-wal', '-shm'].map((suffix) => modeOf(file + suffix))

describe('the files of the SQLite store', () => {
  test.each(['000', '022', '077'])('are created for their owner alone, with umask %s', (umask) => {
    const file = join(folder, 'made', 'deep', 'bind.db')
    // Runs in a separate process, because the umask applies to the whole process.
    const script = `
      process.umask(0o${umask})
      const { openSqliteStore } = await import(${JSON.stringify(new URL('../../../../server/store/sqlite/sqlite-store.ts', import.meta.url))})
      const store = await openSqliteStore({ file: process.argv[1], hashOf: String, hasWebhook: () => false })
      await store.write((tx) => tx.consumeJti('j', 1))
      const { statSync } = await import('node:fs')
      const modes = ['', '-wal', '-shm'].map((end) => (statSync(process.argv[1] + end).mode & 0o777).toString(8))
      console.log(modes.join())
      await store.close()`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script, file], { encoding: 'utf8' })
    expect(printed).toBe('600,600,600\n')
    expect([join(folder, 'made'), join(folder, 'made', 'deep')].map(modeOf)).toEqual(['700', '700'])
  })

  test.each([
    ['644', '640'],
    ['666', '660'],
    ['640', '640'],
    ['600', '600'],
  ])('that exist with mode %s get mode %s: other users lose their permissions', async (before, after) => {
    const file = join(folder, 'bind.db')
    writeFileSync(file, '')
    chmodSync(file, Number.parseInt(before, 8))
    const store = await openSqliteStore({ file, ...settings })
    await store.write((tx) => tx.consumeJti('j', 1))
    expect(modesOf(file)).toEqual([after, after, after])
    await store.close()
  })

  test('keep the permissions of a folder that exists', async () => {
    const shared = join(folder, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o755)
    await (await openSqliteStore({ file: join(shared, 'bind.db'), ...settings })).close()
    expect([modeOf(shared), modeOf(join(shared, 'bind.db'))]).toEqual(['755', '600'])
  })

  test('include the log of a killed server, beside the target of a symbolic link', async () => {
    const running = join(folder, 'running.db')
    const first = await openSqliteStore({ file: running, ...settings })
    await first.write((tx) => tx.consumeJti('j', 1))
    const file = join(folder, 'killed.db')
    for (const suffix of ['', '-wal']) {
      copyFileSync(running + suffix, file + suffix)
      chmodSync(file + suffix, 0o644)
    }
    await first.close()
    const link = join(folder, 'link.db')
    symlinkSync(file, link)
    const store = await openSqliteStore({ file: link, ...settings })
    expect(await store.write((tx) => tx.consumeJti('j', 1))).toBe(false)
    expect(modesOf(file)).toEqual(['640', '640', '640'])
    await store.close()
  })
})
