/** How Vite serves the tests that run in a page: the widget's and the console's. */
import { msw } from 'msw/vite'

export const widgetModules = {
  // @open-wc/testing imports modules of web-test-runner. This `exclude` and the alias below replace them.
  optimizeDeps: {
    exclude: ['@web/test-runner-commands'],
    // Listed here because Vite reloads the page, even during a test, when it discovers a dependency later.
    include: [
      '@open-wc/testing',
      '@open-wc/testing-helpers',
      'chai-a11y-axe',
      'hono',
      'lit',
      'lit/directives/guard.js',
      'lit/directives/keyed.js',
      'lit/directives/ref.js',
      'lit/directives/repeat.js',
      'msw/browser',
      'msw/http',
      'uplot',
    ],
  },
  cacheDir: 'node_modules/.vite/widget',
  resolve: { alias: { '/__web-dev-server__web-socket.js': 'lit' } },
  plugins: [msw({ mode: 'worker-only' })],
}
