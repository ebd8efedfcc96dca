import type { Reporter, TestCase } from 'vitest/node'
import { missingIn } from './missing-tool.ts'

let isFiltered = false

/** Returns whether a hook such as `beforeAll` has failed, because Vitest then reports the tests after it as skipped. */
function isSkippedByFailure(test: TestCase): boolean {
  for (let each = test.parent; ; each = each.parent) {
    if (each.errors().length > 0) return true
    if (each.type === 'module') return false
  }
}

/** Prints a line for each missing tool with the number of its skipped tests, and then "N passed, N failed, N skipped". */
export const summary: Reporter = {
  onInit({ config }) {
    // With the option -t, tests are skipped because of their names and not because of a missing tool.
    isFiltered = config.testNamePattern !== undefined
  },
  onTestRunEnd(modules, errors) {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    const skipped: Record<string, number> = {}
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state]++
        if (state !== 'skipped' || isFiltered || isSkippedByFailure(test)) continue
        const needs = missingIn(test.fullName)
        const reason = needs ? `this machine lacks ${needs}` : `no reason given (${test.fullName})`
        skipped[reason] = (skipped[reason] ?? 0) + 1
      }
      // The file could not be loaded, or a hook failed.
      for (const each of [module, ...module.children.allSuites()]) if (each.errors().length > 0) count.failed++
    }
    for (const [reason, tests] of Object.entries(skipped)) {
      console.log(`SKIPPED ${tests} ${tests === 1 ? 'test' : 'tests'}: ${reason}`)
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  },
}
