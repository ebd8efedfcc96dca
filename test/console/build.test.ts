/** The built page is small and works under the strict content policy. Run `npm run build` first. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const assets = join(root, 'dist/console/assets')
const sizeOf = (name: string) => gzipSync(readFileSync(join(assets, name)), { level: 9 }).length
const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'))

describe('the built page of the console', () => {
  test('has less than 40 kB of script after gzip, and the chart library in a file of its own', () => {
    const [chart, ...others] = [...scripts].sort((a) => (a.startsWith('uPlot') ? -1 : 1))
    expect(chart).toMatch(/^uPlot/)
    expect(sizeOf(chart!)).toBeLessThan(24_000)
    expect(others.reduce((sum, name) => sum + sizeOf(name), 0)).toBeLessThan(40_000)
  })

  test('has no inline script or style, and only relative paths, so that it works under any mount', () => {
    const html = readFileSync(join(root, 'dist/console/index.html'), 'utf8')
    expect(html).not.toMatch(/<style|<script(?![^>]* src=)| style=| on\w+=/)
    const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path)
    expect(paths.length).toBeGreaterThan(2)
    expect(paths.filter((path) => !path?.startsWith('./'))).toEqual([])
  })

  test('contains the licences of the packages in it', () => {
    const licences = readFileSync(join(root, 'dist/console/licenses.md'), 'utf8')
    for (const name of ['lit', 'uplot']) expect(licences).toContain(name)
  })
})

test('no view of the console has a style attribute', () => {
  const views = readdirSync(join(root, 'console/views'))
  expect(views.length).toBeGreaterThan(10)
  expect(views.filter((name) => / style=/.test(readFileSync(join(root, 'console/views', name), 'utf8')))).toEqual([])
})
