import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readKeyFile, watchKeyFile } from '../../../server/keys/key-file.ts'
import { createTestLog } from '../../support/test-server.ts'

const secret = (first: number) => Buffer.from(Array.from({ length: 32 }, (_, i) => first + i)).toString('base64url')

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  file = join(folder, 'keys')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('readKeyFile', () => {
  test('reads one key per line, and skips comments and empty lines', () => {
    writeFileSync(file, `# comment\nk1:${secret(1)}\n\nk2:${secret(2)}:other\n`)
    expect(readKeyFile(file).map(({ kid, tenant }) => [kid, tenant])).toEqual([
      ['k1', 'default'],
      ['k2', 'other'],
    ])
  })

  test('refuses a missing or invalid file, with no secret in the message', () => {
    expect(() => readKeyFile(join(folder, 'none'))).toThrow('BIND_KEYS_FILE')
    writeFileSync(file, `k1:${secret(1)}\nk2:short`)
    expect(() => readKeyFile(file)).toThrow(expect.not.stringContaining(secret(1)))
  })
})

describe('readKeyFile and watchKeyFile', () => {
  test('refuse a file that gives two tenants the same secret', () => {
    writeFileSync(file, `k1:${secret(1)}\nk2:${secret(1)}:other\n`)
    expect(() => readKeyFile(file)).toThrow(/^BIND_KEYS_FILE: gives two tenants the same secret.*\n {4}两个租户/)
  })
})

describe('watchKeyFile', () => {
  function watch(before: string) {
    const log = createTestLog()
    const read: string[][] = []
    writeFileSync(file, before)
    const watched = watchKeyFile(file, (keys) => read.push(keys.map(({ kid }) => kid)), log)
    watched.stop()
    return { read, log, check: watched.check }
  }

  test('reports new keys once, and nothing while the file stays the same', () => {
    const { read, check } = watch(`k1:${secret(1)}`)
    check()
    writeFileSync(file, `k1:${secret(1)}\nk2:${secret(2)}`)
    check()
    check()
    expect(read).toEqual([['k1', 'k2']])
  })

  test('detects a file that was replaced by renaming', () => {
    const { read, check } = watch(`k1:${secret(1)}`)
    writeFileSync(`${file}.new`, `k2:${secret(2)}`)
    renameSync(`${file}.new`, file)
    check()
    expect(read).toEqual([['k2']])
  })

  test('keeps the current keys and logs an error when the file does not parse or is gone', () => {
    const { read, log, check } = watch(`k1:${secret(1)}`)
    writeFileSync(file, 'nonsense')
    check()
    rmSync(file)
    check()
    expect(read).toEqual([])
    expect(log.lines.filter((line) => line.includes('BIND_KEYS_FILE'))).toHaveLength(2)
  })
})
