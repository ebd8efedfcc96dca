/** The self-contained file for a `<script type="module">` tag: the element with lit, its licences, and the hash that pins it. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

const versionOf = (folder: string): string =>
  JSON.parse(readFileSync(join(import.meta.dirname, folder, 'package.json'), 'utf8')).version

/** The file's first line. `licenses.md` holds the licence texts, which BSD-3-Clause asks for in a copy of lit. */
const banner = `/*! wechat-bind ${versionOf('.')} (MIT) with lit ${versionOf('node_modules/lit')} (BSD-3-Clause, Copyright 2017 Google LLC), see licenses.md */`

const squeeze = (css: string) =>
  css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};]) ?/g, '$1')
    .replace(/([,:]) /g, '$1')
    .replaceAll(';}', '}')

/** The style sheet is a string, which minifiers leave alone: without its comments and white space the file is 0.3 kB smaller after gzip. */
const squeezeStyles: Plugin = {
  name: 'squeeze-styles',
  transform: {
    filter: { id: /\/widget\/styles\.ts$/ },
    // An empty map: the module has no code to step through.
    handler: (code) => ({ code: code.replace(/(?<=\bcss`)[^`]*/g, squeeze), map: { mappings: '' } }),
  },
}

const hashOf = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest('base64')

/** What a page writes into `integrity`, kept beside the file for whoever deploys it. */
const integrity: Plugin = {
  name: 'integrity',
  writeBundle({ dir = '' }, bundle) {
    const names = Object.keys(bundle).filter((name) => name.endsWith('.js'))
    const hashes = Object.fromEntries(names.map((name) => [name, `sha384-${hashOf(readFileSync(join(dir, name)))}`]))
    writeFileSync(join(dir, 'integrity.json'), `${JSON.stringify(hashes, null, 2)}\n`)
    for (const name of names) this.info(`${name} integrity="${hashes[name]}"`)
  },
}

export default defineConfig({
  publicDir: false,
  plugins: [squeezeStyles, integrity],
  build: {
    target: 'es2022',
    outDir: 'dist/cdn',
    lib: { entry: 'widget/define.ts', formats: ['es'], fileName: () => 'wechat-bind.js' },
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // A build on a busy machine is no news.
      checks: { bundlerTimings: false },
      // Vite leaves the white space of a library in ESM format. Notes for the next bundler are of no use in a finished file.
      output: { minify: true, comments: { annotation: false }, postBanner: banner },
    },
    // Beside the file, and not named in it: browsers of users never need it.
    sourcemap: 'hidden',
  },
})
