/** The package as npm publishes it, checked with publint, arethetypeswrong and a bundler. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readWidgetFile } from '../../../server/http/static-file.ts'
import { npmCacheOr } from '../../support/npm-cache.ts'

const root = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The size in bytes, as compressed by Node's zlib at level 9. The command `gzip -9` makes this file 1.5 % smaller. */
const BUDGET = 18_700

let tarball: Buffer

beforeAll(async () => {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const cache = ['--cache', npmCacheOr(join(folder, 'npm-cache'))]
  const { stdout } = await promisify(execFile)('npm', [...pack, ...cache], { cwd: root })
  const [{ filename }] = JSON.parse(stdout)
  tarball = readFileSync(join(folder, filename))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the published package', () => {
  test('passes publint', async () => {
    const { messages } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([])
  })

  test('has correct types for ESM consumers', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
    if (!analysis.types) throw new Error('The package has no types.')
    // The package is ESM only: CommonJS and the resolution mode `node10` are not supported.
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && /^node10$|cjs$/.test(problem.resolutionKind)),
    )
    expect(problems.map((problem) => problem.kind)).toEqual([])
  })
})

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

  test('drops an import whose names are not used', async () => {
    expect(await bundle(`import { WechatBind } from 'wechat-bind'`)).toMatch(/^\s*$/)
    expect(await bundle(`import 'wechat-bind'`)).toMatch(/^\s*$/)
  })

  test('keeps only the class for an import of the class', async () => {
    const code = await bundle(`import { WechatBind } from 'wechat-bind'; console.log(WechatBind)`)
    expect(code).toContain('token-url')
    expect(code).not.toContain('customElements.define')
  })

  test('keeps the registration for an import of `define`, and does not contain lit', async () => {
    const code = await bundle(`import 'wechat-bind/define'`)
    expect(code).toContain('customElements.define')
    expect(code).toMatch(/from\s*["']lit["']/)
  })
})

describe('the self-contained file', () => {
  const path = join(root, 'dist/cdn/wechat-bind.js')
  const text = readFileSync(path)

  test('imports nothing', () => {
    expect(text.toString()).not.toMatch(/\bimport\s*[("'{*]|\bfrom\s*["']/)
  })

  test("names the versions of the element and of lit, and the package contains lit's licence", () => {
    const { version: lit } = JSON.parse(readFileSync(join(root, 'node_modules/lit/package.json'), 'utf8'))
    const [banner] = text.toString().split('\n')
    expect(banner).toBe(`/*! wechat-bind ${manifest.version} MIT, lit ${lit} BSD-3-Clause, see licenses.md */`)
    const packed = createPackageFromTarballData(new Uint8Array(tarball))
    const licences = packed.readFile('/node_modules/wechat-bind/dist/cdn/licenses.md')
    for (const name of ['@lit/reactive-element', 'lit-element', 'lit-html']) expect(licences).toContain(`## ${name} - `)
    expect(licences).toContain('Redistributions in binary form must reproduce the above copyright notice')
  })

  test('has at most 18,700 bytes after gzip', () => {
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(BUDGET)
  })

  test('matches its integrity hash, and is the file that the bind server serves', () => {
    const hash = `sha384-${createHash('sha384').update(text).digest('base64')}`
    const { 'wechat-bind.js': hashInFile } = JSON.parse(readFileSync(join(root, 'dist/cdn/integrity.json'), 'utf8'))
    expect(hashInFile).toBe(hash)
    expect(readWidgetFile()?.text).toBe(text.toString())
  })
})
