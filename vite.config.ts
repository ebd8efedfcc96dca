import { defineConfig } from 'vite'

/** The self-contained file for a `<script type="module">` tag: the element, lit and all. */
export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist/cdn',
    lib: { entry: 'widget/define.ts', formats: ['es'], fileName: () => 'wechat-bind.js' },
    // Lib mode leaves white space in ES output unless the minifier is asked for by name.
    rolldownOptions: { output: { minify: true } },
    sourcemap: true,
  },
})
