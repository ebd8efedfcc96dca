import { expect, test } from 'vitest'
import { findNodeFault, NEEDED_NODE, VERSION } from '../../../server/config/version.ts'
import { manifestIn, packages, root } from '../../support/packages.ts'

test.each([root, ...Object.values(packages)])('the version is that of package.json in %s', (folder) => {
  expect(manifestIn(folder).version).toBe(VERSION)
})

test('the version of Node is the one that the server package requires', () => {
  expect(manifestIn(packages['wechat-bind-server']).engines).toEqual({ node: `>=${NEEDED_NODE}` })
})

test.each([
  ['20.20.2', true],
  ['22.15.9', true],
  ['22.16.0', false],
  ['24.0.0', false],
])('Node %s is too old: %s', (version, isTooOld) => {
  expect(findNodeFault(version) !== undefined).toBe(isTooOld)
})
