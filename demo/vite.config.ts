import { defineConfig } from 'vite'

/** The QA page. The element is not bundled: the page loads the built file, as any site would. */
export default defineConfig({
  root: `${import.meta.dirname}/page`,
  base: './',
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: '../../dist/page',
    emptyOutDir: true,
    // A data: URL in a style sheet would be one more thing for the page's policy to allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // A build on a busy machine is no news.
      checks: { bundlerTimings: false },
      input: ['index', 'api', 'playground'].map((name) => `${import.meta.dirname}/page/${name}.html`),
    },
  },
})
