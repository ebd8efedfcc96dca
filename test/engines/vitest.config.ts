/** Runs the tests of the element and the stories in each engine that `test/engines/main.ts` has found. */
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { expectOptions } from '../support/expect-options.ts'
import { summary } from '../support/reporter.ts'
import { widgetModules } from '../support/widget-modules.ts'
import type { EngineName } from './engines.ts'
import { inEngine } from './provider.ts'

const names = (process.env.ENGINES ?? 'chromium').split(' ') as EngineName[]

/** The files that use nothing of a single engine. */
const STORIES = ['binding-flows', 'tabs-and-zoom', 'old-browsers'].map((name) => `test/e2e/${name}.test.ts`)

// Without a graphics card, WebKit takes seconds for a page.
const limits = { testTimeout: 300_000, hookTimeout: 300_000 }

const projectsOf = (name: EngineName, index: number): TestProjectConfiguration[] => [
  {
    ...widgetModules,
    // A run of `npm test` at the same time would replace the files of the other.
    cacheDir: 'node_modules/.vite/engines',
    test: {
      ...limits,
      include: ['test/widget/*.test.ts'],
      setupFiles: [...(name === 'chromium-116' ? ['test/engines/polyfills.ts'] : []), 'test/widget/setup.ts'],
      // One browser at a time: timers of a page are late on a machine that runs several.
      sequence: { groupOrder: 2 * index },
      expect: expectOptions,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: inEngine(name),
        // Vitest's types know only the names of Playwright's browsers.
        instances: [{ browser: name as 'chromium', name: `element in ${name}` }],
      },
    },
  },
  {
    test: {
      ...limits,
      name: `stories in ${name}`,
      include: STORIES,
      provide: { engine: name },
      sequence: { groupOrder: 2 * index + 1 },
      isolate: false,
      expect: expectOptions,
    },
  },
]

export default defineConfig({
  test: { reporters: ['default', summary], silent: 'passed-only', maxWorkers: 1, projects: names.flatMap(projectsOf) },
})
