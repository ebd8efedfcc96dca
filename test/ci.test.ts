/**
 * Checks the CI workflow: its actions are pinned, it has only the permission to read, and it uses the Node versions in
 * package.json.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const textOf = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8')

const workflow = textOf('.github/workflows/ci.yml')
const { engines, devDependencies } = JSON.parse(textOf('package.json')) as {
  engines: { node: string }
  devDependencies: Record<string, string>
}

const all = (pattern: RegExp) => [...workflow.matchAll(pattern)].map(([, found = '']) => found)

describe('the CI workflow', () => {
  test('pins every action to a commit, with the version in a comment', () => {
    const uses = all(/^.*\buses: (.+)$/gm)
    expect(uses.length).toBeGreaterThan(2)
    expect(uses.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([])
  })

  test('has only the permission to read the repository', () => {
    expect(workflow).toMatch(/^permissions: \{\}$/m)
    const permissions = all(/^ {4}permissions:\n((?: {6}.+\n)+)/gm)
    expect(permissions).toEqual(all(/^ {4}(runs-on): /gm).map(() => '      contents: read\n'))
    expect(workflow).not.toMatch(/secrets\.|pull_request_target/)
  })

  test('runs the same commands as a contributor', () => {
    expect(all(/^ {6}- run: (npm .+)$/gm)).toEqual(
      expect.arrayContaining(['npm ci', 'npm run check', 'npm run build', 'npm test']),
    )
  })

  test('runs on the oldest Node that package.json allows, and on the Node that the npm scripts use', () => {
    const oldest = /^>=(\d+\.\d+)$/.exec(engines.node)?.[1] ?? ''
    expect(all(/^ +node-version: (\d.+)$/gm)).toEqual([`${oldest}.0`])
    const major = /^\^(\d+)\./.exec(devDependencies.node ?? '')?.[1] ?? ''
    expect(textOf('.node-version').trim()).toBe(major)
    expect(all(/^ +node: \[(.+)\]$/gm)).toEqual([`${oldest.split('.')[0]}, ${major}`])
    for (const page of ['docs/operations.md', 'docs/operations.zh-CN.md'])
      expect(textOf(page)).toContain(`Node ${oldest} `)
  })
})
