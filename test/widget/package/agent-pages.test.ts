/** The pages for coding agents are generated from the manifest, the OpenAPI description and the README. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { agentPages } from '../../support/agent-pages.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8')

describe('the pages for coding agents', () => {
  test.each(agentPages)('$path equals the output of "node test/support/agent-pages.ts"', ({ path, wanted }) => {
    expect(read(path)).toBe(wanted)
  })

  test('the skill has a name and a description of at most 1024 characters', () => {
    const [, name, description = ''] =
      /^---\nname: ([a-z-]+)\ndescription: >-\n((?: {2}.+\n)+)---\n/.exec(read('docs/skill/SKILL.md')) ?? []
    expect(name).toBe('wechat-bind')
    expect(description.length).toBeGreaterThan(100)
    expect(description.length).toBeLessThanOrEqual(1024)
  })
})
