import { availableParallelism } from 'node:os'
import { playwright } from '@vitest/browser-playwright'
import { msw } from 'msw/vite'
import { defineConfig } from 'vitest/config'
import { launchOptions } from './test/support/chromium.ts'
import { summary } from './test/support/reporter.ts'

// A test that asserts nothing fails, and so does one whose assertions stand in a callback that never ran.
const expect = { requireAssertions: true }

export default defineConfig({
  test: {
    // Both cores of a small machine: much of the time goes into waiting for other processes.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', summary],
    projects: [
      {
        test: {
          name: 'server',
          include: ['test/*.test.ts', 'test/{server,demo,deploy,widget/package}/**/*.test.ts'],
          expect,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,widget/examples}/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          expect,
        },
      },
      {
        // @open-wc/testing expects web-test-runner; without these two lines Vite cannot load it.
        optimizeDeps: {
          exclude: ['@web/test-runner-commands'],
          // Named, so that a first run does not find them on the way and reload the page under a test.
          include: [
            '@open-wc/testing',
            '@open-wc/testing-helpers',
            'chai-a11y-axe',
            'lit',
            'lit/directives/keyed.js',
            'msw/browser',
            'msw/http',
          ],
        },
        cacheDir: 'node_modules/.vite/widget',
        resolve: { alias: { '/__web-dev-server__web-socket.js': 'lit' } },
        plugins: [msw({ mode: 'worker-only' })],
        test: {
          name: 'widget',
          include: ['test/widget/*.test.ts'],
          setupFiles: 'test/widget/setup.ts',
          expect,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: await launchOptions() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
