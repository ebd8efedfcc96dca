/** Imports the published entries in Node without a document, as server-side rendering does. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/**
 * Runs code as a module in a separate Node process. The process runs in the package's folder, so that `wechat-bind`
 * resolves to the package itself.
 */
async function run(code: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: root })
  return JSON.parse(stdout)
}

describe('importing on a server', () => {
  test('exports the class, and creates no document and no pending operation', async () => {
    const output = await run(`
      const { WechatBind } = await import('wechat-bind')
      await import('wechat-bind/define')
      const waiting = process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|FS/.test(name))
      console.log(JSON.stringify([typeof WechatBind, typeof document, typeof window, waiting]))
    `)
    expect(output).toEqual(['function', 'undefined', 'undefined', []])
  })

  test('throws no error without customElements', async () => {
    // In Node, Lit defines `customElements` for server-side rendering, so the test deletes it.
    const output = await run(`
      await import('lit')
      delete globalThis.customElements
      const { WechatBind } = await import('wechat-bind/define')
      console.log(JSON.stringify([typeof WechatBind, typeof customElements]))
    `)
    expect(output).toEqual(['function', 'undefined'])
  })

  test('registers the tag once when a renderer provides customElements, even if two copies of the module are loaded', async () => {
    const output = await run(`
      const names = []
      globalThis.customElements = { get: (name) => names.find((each) => each === name), define: (name) => names.push(name) }
      await import('wechat-bind/define')
      await import('./dist/widget/define.js?again')
      console.log(JSON.stringify(names))
    `)
    expect(output).toEqual(['wechat-bind'])
  })
})
