/**
 * Builds dist/cdn: the self-contained file for a `<script type="module">` tag (the element with lit), its licences, and
 * its integrity hash.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MagicString from 'magic-string'
import { defineConfig, type Plugin } from 'vite'

const versionOf = (folder: string): string =>
  JSON.parse(readFileSync(join(import.meta.dirname, folder, 'package.json'), 'utf8')).version

/**
 * The file's first line. `licenses.md` contains the licence texts with their copyright notices. BSD-3-Clause requires
 * them with each copy of lit.
 */
const banner = `/*! wechat-bind ${versionOf('.')} MIT, lit ${versionOf('node_modules/lit')} BSD-3-Clause, see licenses.md */`

const squeeze = (css: string) =>
  css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([`{};]) ?/g, '$1')
    .replace(/([,:]) /g, '$1')
    .replaceAll(';}', '}')

/**
 * Minifies the style sheet. The minifier of the JavaScript does not do this, because the style sheet is a string. Saves
 * 0.3 kB after gzip.
 */
const squeezeStyles: Plugin = {
  name: 'squeeze-styles',
  transform: {
    filter: { id: /\/widget\/styles\.ts$/ },
    // Returns an empty source map, because the module contains no statements to debug.
    handler: (code) => ({ code: code.replace(/`[^`]*`/g, squeeze), map: { mappings: '' } }),
  },
}

/**
 * Joins the lines of HTML templates, because the minifier keeps their white space. A space remains only before an
 * attribute, and before `/>`, because an unquoted value must end there. This is safe because no template has text
 * across two lines. Saves 77 bytes after gzip.
 */
const squeezeTemplates: Plugin = {
  name: 'squeeze-templates',
  transform: {
    filter: { id: /\/widget\/[\w-]+\.ts$/, code: /html`/ },
    handler(code) {
      const squeezed = new MagicString(code)
        .replace(/\n +(?=[?.@]?[\w-]+=\S|\/>)/g, ' ')
        .replace(/\n +(?=[<>]|\$\{)/g, '')
      return { code: squeezed.toString(), map: squeezed.generateMap({ hires: true }) }
    },
  },
}

const hashOf = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest('base64')

/**
 * Writes `integrity.json` with the value for the `integrity` attribute of the script tag, for sites that allow only
 * this version of the file.
 */
const integrity: Plugin = {
  name: 'integrity',
  writeBundle({ dir = '' }, bundle) {
    const names = Object.keys(bundle).filter((name) => name.endsWith('.js'))
    const hashes = Object.fromEntries(names.map((name) => [name, `sha384-${hashOf(readFileSync(join(dir, name)))}`]))
    writeFileSync(join(dir, 'integrity.json'), `${JSON.stringify(hashes, null, 2)}\n`)
    for (const name of names) this.info(`${name} integrity="${hashes[name]}"`)
  },
}

/**
 * Copies the element's documentation next to the file, because the element's warnings in the console link to it
 * (`widget/warn-once.ts`).
 */
const page: Plugin = {
  name: 'page',
  generateBundle() {
    const source = readFileSync(join(import.meta.dirname, 'docs/element.md'), 'utf8')
    this.emitFile({ type: 'asset', fileName: 'element.md', source })
  },
}

export default defineConfig({
  publicDir: false,
  plugins: [squeezeStyles, squeezeTemplates, integrity, page],
  build: {
    target: 'es2022',
    outDir: 'dist/cdn',
    lib: { entry: 'widget/define.ts', formats: ['es'], fileName: () => 'wechat-bind.js' },
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      // Switches off Rolldown's warning about slow plugins, because it also appears on a busy machine.
      checks: { bundlerTimings: false },
      // `minify` is set explicitly, because Vite by default keeps the white space of an ESM library.
      // `topLevelVar: false` keeps `const`, so that the minifier inserts the values of constants. Saves 70 bytes after gzip.
      // `annotation: false` removes `@__PURE__`, which only bundlers need.
      output: { minify: true, topLevelVar: false, comments: { annotation: false }, postBanner: banner },
    },
    // With `hidden`, the source map is published next to the file, but no comment in the file refers to it, so browsers
    // do not load it.
    sourcemap: 'hidden',
  },
})
