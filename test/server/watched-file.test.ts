import { chmodSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type WatchedFile, watchFile } from '../../server/watched-file.ts'

let folder: string
let file: string
let changes: number
let watched: WatchedFile
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  file = join(folder, 'settings.json')
  writeFileSync(file, 'one')
  changes = 0
  watched = watchFile(file, () => {
    changes++
  })
})
afterEach(() => {
  watched.stop()
  rmSync(folder, { recursive: true })
})

/** Repeats `change` until the clock of the file system has advanced, which takes some milliseconds. */
function untilStamped(change: () => void): void {
  const before = statSync(file).ctimeMs
  do change()
  while (statSync(file).ctimeMs === before)
}

describe('watchFile', () => {
  test.each<[string, () => void]>([
    ['written', () => writeFileSync(file, 'longer')],
    ['written with a text of the same length', () => untilStamped(() => writeFileSync(file, 'two'))],
    ['removed', () => rmSync(file)],
    [
      'replaced',
      () => {
        writeFileSync(`${file}.new`, 'one')
        renameSync(`${file}.new`, file)
      },
    ],
    // An operator repairs a file that the server could not read.
    ['given another mode', () => untilStamped(() => chmodSync(file, 0o640))],
  ])('reports once that a file was %s', (_, change) => {
    watched.check()
    expect(changes).toBe(0)
    change()
    for (const _ of [1, 2]) watched.check()
    expect(changes).toBe(1)
  })
})
