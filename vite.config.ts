/** The self-contained file for a `<script type="module">` tag: the element, lit and all, and the hash that pins it. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MagicString from 'magic-string'
import { defineConfig, type Plugin } from 'vite'

type Node = { type: string; start: number; end: number; [key: string]: unknown }

/** Where a template's values go, while it is looked at as one text. */
const HOLE = '\0'

/** A template's white space is for its author. A line's end goes as in JSX: none beside a tag or a value, else one space. */
const squeezeHtml = (text: string) =>
  text
    .replace(/<[^>]*>/g, (tag) => tag.replace(/\s*\n\s*/g, ' '))
    .replace(/\s*\n\s*(?=[<\0]|$)|(?<=[>\0]|^)\s*\n\s*/g, '')
    .replace(/\s*\n\s*/g, ' ')

const squeezeCss = (text: string) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};]) ?/g, '$1')
    .replace(/([,:]) /g, '$1')
    .replaceAll(';}', '}')

const squeezers: Record<string, (text: string) => string> = { html: squeezeHtml, svg: squeezeHtml, css: squeezeCss }

/** Minifiers leave strings alone, and a template is a string. */
const squeezeTemplates: Plugin = {
  name: 'squeeze-templates',
  transform(code) {
    const text = new MagicString(code)
    for (const node of nodesIn(this.parse(code) as unknown as Node)) {
      const squeeze = node.type === 'TaggedTemplateExpression' && squeezers[(node.tag as { name?: string }).name ?? '']
      if (!squeeze) continue
      const { quasis } = node.quasi as { quasis: Node[] }
      const squeezed = squeeze(quasis.map(({ start, end }) => code.slice(start, end)).join(HOLE)).split(HOLE)
      for (const [index, { start, end }] of quasis.entries()) {
        if (end > start) text.overwrite(start, end, squeezed[index] ?? '')
      }
    }
    return { code: text.toString(), map: text.generateMap({ hires: true }) }
  },
  // A library keeps these notes for the next bundler; this file meets none.
  renderChunk: (code) => ({
    code: code.replace(/\/\* ?[@#]__PURE__ ?\*\//g, (note) => ' '.repeat(note.length)),
    map: null,
  }),
}

function* nodesIn(value: unknown): Generator<Node> {
  if (!value || typeof value !== 'object') return
  if ('type' in value) yield value as Node
  for (const child of Object.values(value)) yield* nodesIn(child)
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
  plugins: [squeezeTemplates, integrity],
  resolve: {
    alias: [
      { find: /^lit(\/directives\/keyed\.js)?$/, replacement: join(import.meta.dirname, 'widget/standalone/lit.ts') },
    ],
  },
  build: {
    target: 'es2022',
    outDir: 'dist/cdn',
    lib: { entry: 'widget/define.ts', formats: ['es'], fileName: () => 'wechat-bind.js' },
    // A build on a busy machine is no news.
    rolldownOptions: { checks: { bundlerTimings: false } },
    // 0.4 kB less after gzip than the default.
    minify: 'terser',
    terserOptions: {
      ecma: 2022,
      module: true,
      compress: { passes: 3 },
      // Names between our own files, which no page and no server ever sees.
      mangle: {
        properties: {
          regex:
            /^(refreshesLeft|delayMs|attempt|tookMs|isChecked|isOther|unbinding|failure|halted|secondsLeft|canStart|stateChanged|noPicture|createQrcode|waitPast|retryAfterMs|deadline)$/,
        },
      },
    },
    // Beside the file, and not named in it: browsers of users never need it.
    sourcemap: 'hidden',
  },
})
