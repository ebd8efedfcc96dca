import { defineConfig } from 'vite'

/** Builds dist/console: the page of the console. The server serves it under the path at which the console is mounted. */
export default defineConfig({
  root: import.meta.dirname,
  // The paths are relative, because the console can be mounted anywhere.
  base: './',
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: '../dist/console',
    emptyOutDir: true,
    // Small assets stay files, because a data: URL in a style sheet would need another source in the page's content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The licences of lit and uPlot, with their copyright notices.
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // Rolldown warns about slow plugins. On a busy machine it warns without a reason, so the check is off.
      checks: { bundlerTimings: false },
    },
  },
})
