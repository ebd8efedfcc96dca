/** What a server that renders pages meets: the published entries in a Node without a document. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** Runs it as a module in a Node of its own, in the package's folder, so that `wechat-bind` is the package itself. */
async function run(code: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: root })
  return JSON.parse(stdout)
}

describe('importing on a server', () => {
  test('gives the class, and neither a document nor anything under way', async () => {
    const told = await run(`
      const { WechatBind } = await import('wechat-bind')
      await import('wechat-bind/define')
      const waiting = process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY|FS/.test(name))
      console.log(JSON.stringify([typeof WechatBind, typeof document, typeof window, waiting]))
    `)
    expect(told).toEqual(['function', 'undefined', 'undefined', []])
  })

  test('throws nothing where there is no registry at all', async () => {
    // lit brings a registry of its own to Node, for whoever renders there.
    const told = await run(`
      await import('lit')
      delete globalThis.customElements
      const { WechatBind } = await import('wechat-bind/define')
      console.log(JSON.stringify([typeof WechatBind, typeof customElements]))
    `)
    expect(told).toEqual(['function', 'undefined'])
  })

  test('registers once where a renderer has put a registry, however often it is loaded', async () => {
    const told = await run(`
      const names = []
      globalThis.customElements = { get: (name) => names.find((each) => each === name), define: (name) => names.push(name) }
      await import('wechat-bind/define')
      await import('./dist/widget/define.js?again')
      console.log(JSON.stringify(names))
    `)
    expect(told).toEqual(['wechat-bind'])
  })
})
