import { availableParallelism } from 'node:os'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { launchOptions } from './test/support/chromium.ts'
import { compileCache } from './test/support/compile-cache.ts'
import { expectOptions } from './test/support/expect-options.ts'
import { summary } from './test/support/reporter.ts'
import { widgetModules } from './test/support/widget-modules.ts'

export default defineConfig({
  test: {
    // At least 2 workers, even on 2 cores, because the tests wait for other processes most of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', summary],
    env: compileCache,
    projects: [
      {
        test: {
          name: 'server',
          include: ['test/{,console/}*.test.ts', 'test/{server,demo,deploy,simulation,widget/package}/**/*.test.ts'],
          // Ends a test that hangs. The limit is long enough for a slow machine with much other work.
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // The test files of a worker share its modules. Otherwise the worker would load the modules again for each of
          // 150 files.
          isolate: false,
          globalSetup: 'test/support/postgres-service.ts',
          expect: expectOptions,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,widget/examples}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          isolate: false,
          expect: expectOptions,
        },
      },
      {
        ...widgetModules,
        test: {
          name: 'widget',
          // The pages of the element and of the console share a browser.
          include: ['test/widget/*.test.ts', 'test/console/views/*.test.ts'],
          setupFiles: 'test/widget/setup.ts',
          expect: expectOptions,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            // On a machine with `LANG=C` and without this locale, `navigator.language` has a value that Intl does not
            // accept.
            provider: playwright({ launchOptions: await launchOptions(), contextOptions: { locale: 'en-US' } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
