/** Tests the built element in a bundler, and the self-contained file. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { describe, expect, test } from 'vitest'
import { readWidgetFile } from '../../../server/http/static-file.ts'

const root = join(import.meta.dirname, '../../..')
const manifest = JSON.parse(readFileSync(join(root, 'widget/package.json'), 'utf8'))

/**
 * The maximum size in bytes after compression with Node's zlib at level 9. The command `gzip -9` makes the file 1.5 %
 * smaller.
 */
const BUDGET = 20_000

describe('tree-shaking in a bundler', () => {
  async function bundle(code: string): Promise<string> {
    const entry = '\0entry'
    const built = await build({
      root,
      configFile: false,
      logLevel: 'silent',
      plugins: [
        {
          name: 'entry',
          resolveId: (id) => (id === 'entry' ? entry : null),
          load: (id) => (id === entry ? code : null),
        },
      ],
      build: { write: false, rolldownOptions: { input: 'entry', external: /^lit(\/|$)/ } },
    })
    return (built as { output: { code: string }[] }).output[0]?.code ?? ''
  }

  test('removes an import that the code does not use', async () => {
    expect(await bundle(`import { WechatBind } from 'wechat-bind'`)).toMatch(/^\s*$/)
    expect(await bundle(`import 'wechat-bind'`)).toMatch(/^\s*$/)
  })

  test('keeps only the class, without the registration, when the code imports the class', async () => {
    const code = await bundle(`import { WechatBind } from 'wechat-bind'; console.log(WechatBind)`)
    expect(code).toContain('token-url')
    expect(code).not.toContain('customElements.define')
  })

  test('keeps the registration, and imports lit, when the code imports `define`', async () => {
    const code = await bundle(`import 'wechat-bind/define'`)
    expect(code).toContain('customElements.define')
    expect(code).toMatch(/from\s*["']lit["']/)
  })
})

describe('the self-contained file', () => {
  const path = join(root, 'dist/cdn/wechat-bind.js')
  const text = readFileSync(path)

  test('contains no import', () => {
    expect(text.toString()).not.toMatch(/\bimport\s*[("'{*]|\bfrom\s*["']/)
  })

  test("names the versions of the element and of lit, and the package contains lit's licence", () => {
    const { version: lit } = JSON.parse(readFileSync(join(root, 'node_modules/lit/package.json'), 'utf8'))
    const [banner] = text.toString().split('\n')
    expect(banner).toBe(`/*! wechat-bind ${manifest.version} MIT, lit ${lit} BSD-3-Clause, see licenses.md */`)
    const licences = readFileSync(join(root, 'widget/dist/cdn/licenses.md'), 'utf8')
    for (const name of ['@lit/reactive-element', 'lit-element', 'lit-html']) expect(licences).toContain(`## ${name} - `)
    expect(licences).toContain('Redistributions in binary form must reproduce the above copyright notice')
  })

  test('has at most 20,000 bytes after gzip', () => {
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(BUDGET)
  })

  test('matches its integrity hash and equals the file that the bind server serves', () => {
    const hash = `sha384-${createHash('sha384').update(text).digest('base64')}`
    const { 'wechat-bind.js': hashInFile } = JSON.parse(readFileSync(join(root, 'dist/cdn/integrity.json'), 'utf8'))
    expect(hashInFile).toBe(hash)
    expect(readWidgetFile()?.text).toBe(text.toString())
  })
})
