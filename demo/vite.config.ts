import { defineConfig } from 'vite'

/** Builds dist/page: the QA page, the API page and the playground. The pages load the element's built file, as any site does. */
export default defineConfig({
  root: `${import.meta.dirname}/page`,
  base: './',
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: '../../dist/page',
    emptyOutDir: true,
    // Small assets stay files, because a data: URL in a style sheet would need another source in the page's content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Rolldown's warning about slow plugins also appears on a busy machine.
      checks: { bundlerTimings: false },
      input: ['index', 'api', 'playground'].map((name) => `${import.meta.dirname}/page/${name}.html`),
    },
  },
})
