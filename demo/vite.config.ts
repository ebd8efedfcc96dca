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
      input: { index: `${import.meta.dirname}/page/index.html`, api: `${import.meta.dirname}/page/api.html` },
    },
  },
})
