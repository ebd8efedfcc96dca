/**
 * Checks that each patch in `faults/` still fits the code. `node test/simulation/faults/run.ts` plays stories with each
 * patch.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const folder = join(import.meta.dirname, 'faults')
const hasGit = spawnSync('git', ['--version']).status === 0

describe.runIf(hasGit)('the patches in faults/', () => {
  test.each(readdirSync(folder).filter((name) => name.endsWith('.patch')))('%s can be applied to the code', (name) => {
    const { status, stderr } = spawnSync('git', ['apply', '--check', join(folder, name)], {
      cwd: root,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
