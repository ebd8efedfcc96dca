import { playwright } from '@vitest/browser-playwright'
import { msw } from 'msw/vite'
import { defineConfig } from 'vitest/config'
import { launchOptions } from './test/support/chromium.ts'
import { summary } from './test/support/reporter.ts'

export default defineConfig({
  test: {
    reporters: ['default', summary],
    projects: [
      { test: { name: 'server', include: ['test/*.test.ts', 'test/{server,demo,deploy}/**/*.test.ts'] } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 60_000 } },
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
            'lit/decorators.js',
            'msw/browser',
            'msw/http',
          ],
        },
        resolve: { alias: { '/__web-dev-server__web-socket.js': 'lit' } },
        plugins: [msw({ mode: 'worker-only' })],
        test: {
          name: 'widget',
          include: ['test/widget/**/*.test.ts'],
          setupFiles: 'test/widget/setup.ts',
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
