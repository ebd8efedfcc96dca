import type { Reporter } from 'vitest/node'

/** Ends a run with one plain line: "N passed, N failed, N skipped". */
export const summary: Reporter = {
  onTestRunEnd(modules, errors) {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++
      if (module.errors().length) count.failed++ // could not be loaded
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  },
}
