/** Prints the size of the widget's self-contained file after gzip -9: `npm run bench widget-size`. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Rollup } from 'vite'
import { report } from './support/report.ts'

const root = join(import.meta.dirname, '../..')
const LIT = 'virtual:lit-alone'

await build({ root, logLevel: 'error' })
const ours = sizeOf(readFileSync(join(root, 'dist/cdn/wechat-bind.js')))

/** An empty Lit element, as a lower bound. */
const built = (await build({
  configFile: false,
  logLevel: 'error',
  plugins: [
    {
      name: 'lit-alone',
      resolveId: (id) => (id === LIT ? `\0${LIT}` : undefined),
      load: (id) =>
        id === `\0${LIT}`
          ? "import { LitElement, html, css } from 'lit'; customElements.define('x-x', class extends LitElement { static styles = css``; render() { return html`` } })"
          : undefined,
    },
  ],
  build: { write: false, target: 'es2022', rollupOptions: { input: LIT } },
})) as Rollup.RollupOutput
const lit = sizeOf(Buffer.from(built.output[0].code))

const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
report('widget-size', [
  { what: 'lit alone, gzip', value: kB(lit) },
  {
    what: 'the self-contained widget, gzip',
    value: kB(ours),
    number: ours / 1000,
    goal: { text: '18.7 kB', atMost: 18.7 },
  },
])

/** Runs the command `gzip -9`, because the output of Node's zlib is 1.5 % larger. */
function sizeOf(file: Buffer): number {
  return execFileSync('gzip', ['-9'], { input: file }).length
}
