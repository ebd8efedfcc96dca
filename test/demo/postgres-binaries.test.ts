import { execFile } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { copyForAll, isOpenToAll } from '../../demo/postgres-binaries.ts'

const parent = mkdtempSync(join(tmpdir(), 'wechat-bind-binaries-'))
chmodSync(parent, 0o755)
afterAll(() => rmSync(parent, { recursive: true }))

let folder: string
let original: string
let target: string

beforeEach(() => {
  folder = mkdtempSync(join(parent, 'test-'))
  original = join(folder, 'original')
  target = join(folder, 'copy')
  // Under umask 077, npm creates files with these modes.
  mkdirSync(join(original, 'bin'), { recursive: true, mode: 0o700 })
  writeFileSync(join(original, 'bin/postgres'), 'program', { mode: 0o700 })
  mkdirSync(join(original, 'lib'), { mode: 0o700 })
  writeFileSync(join(original, 'lib/libpq.so.5'), 'library', { mode: 0o600 })
  symlinkSync('libpq.so.5', join(original, 'lib/libpq.so'))
})

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const copies = () => readdirSync(folder).filter((name) => name.startsWith('copy'))

describe('copyForAll', () => {
  test('makes a copy that every user can read and run', () => {
    const copy = copyForAll(original, target)
    expect(copy).toBe(`${target}-1`)
    expect(readFileSync(join(copy, 'lib/libpq.so'), 'utf8')).toBe('library')
    const modes = ['', 'bin', 'bin/postgres', 'lib', 'lib/libpq.so.5'].map((path) => modeOf(join(copy, path)))
    expect(modes).toEqual(['755', '755', '755', '755', '644'])
  })

  test('uses a complete copy that already exists', () => {
    const copy = copyForAll(original, target)
    const { ino } = statSync(join(copy, 'bin/postgres'))
    expect(copyForAll(original, target)).toBe(copy)
    expect(statSync(join(copy, 'bin/postgres')).ino).toBe(ino)
    expect(copies()).toEqual(['copy-1'])
  })

  test('makes one copy for several processes that start at once', async () => {
    for (let i = 0; i < 50; i++) cpSync(join(original, 'lib/libpq.so.5'), join(original, `lib/${i}`))
    const module = new URL('../../demo/postgres-binaries.ts', import.meta.url).href
    const code = `import { copyForAll } from ${JSON.stringify(module)}; console.log(copyForAll(...process.argv.slice(1)))`
    const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code, original, target])
    const said = await Promise.all([start(), start(), start(), start()])
    expect(said.map(({ stdout }) => stdout.trim())).toEqual(Array(4).fill(`${target}-1`))
    expect(copies()).toEqual(['copy-1'])
  })

  test('replaces a copy that lacks a file', () => {
    const copy = copyForAll(original, target)
    rmSync(join(copy, 'lib/libpq.so.5'))
    expect(copyForAll(original, target)).toBe(copy)
    expect(readFileSync(join(copy, 'lib/libpq.so'), 'utf8')).toBe('library')
  })

  test('does not use or change a folder that another user may have created', () => {
    cpSync(original, `${target}-1`, { recursive: true, verbatimSymlinks: true })
    chmodSync(`${target}-1`, 0o777)
    symlinkSync(original, `${target}-2`)
    writeFileSync(`${target}-3`, '')
    expect(copyForAll(original, target)).toBe(`${target}-4`)
    expect(modeOf(`${target}-1`)).toBe('777')
    expect(copies()).toEqual(['copy-1', 'copy-2', 'copy-3', 'copy-4'])
  })
})

describe('isOpenToAll', () => {
  test('is true only if every user can enter each folder of the path', () => {
    const inside = join(folder, 'a/b')
    mkdirSync(inside, { recursive: true })
    for (const path of [folder, join(folder, 'a'), inside]) chmodSync(path, 0o755)
    expect(isOpenToAll(inside)).toBe(isOpenToAll(tmpdir()))
    chmodSync(folder, 0o700)
    expect(isOpenToAll(inside)).toBe(false)
    expect(isOpenToAll(join(folder, 'missing'))).toBe(false)
  })
})
