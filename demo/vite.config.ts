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
    // Small files are not inlined as data: URLs, because the page's content policy does not allow them in a style
    // sheet.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Switches off Rolldown's warning about slow plugins, because it also appears on a busy machine.
      checks: { bundlerTimings: false },
      input: ['index', 'api', 'playground'].map((name) => `${import.meta.dirname}/page/${name}.html`),
    },
  },
})
