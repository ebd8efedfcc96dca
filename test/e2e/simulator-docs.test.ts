/** Runs the code blocks of docs/simulator.md, and compares them with the code blocks of the Chinese page. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import * as published from '../../demo/simulator/index.ts'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { createFixture } from './demo-fixture.ts'

const fixture = createFixture()

const root = join(import.meta.dirname, '../../docs')

function blocksOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code.replace(/^import .*\n/gm, ''))
}

const [scanning = '', serving = ''] = blocksOf('simulator.md')

/** Runs a code block. The given values replace the imports of the block. */
const run = (code: string, names: Record<string, unknown>): Promise<unknown> =>
  new (Object.getPrototypeOf(async () => {}).constructor)(...Object.keys(names), code)(...Object.values(names))

describe('docs/simulator.md', () => {
  test('has the same code as the Chinese page, except for comments', () => {
    const withoutComments = (code: string) => code.replace(/\/\/.*$/gm, '')
    const [one, other] = ['simulator.md', 'simulator.zh-CN.md'].map((file) => blocksOf(file).map(withoutComments))
    expect(other).toEqual(one)
  })

  test('contains an example of a browser test that works', async () => {
    const page = await fixture.open()
    const testBody = Promise.withResolvers<(fixtures: { page: Page }) => Promise<void>>()
    await run(scanning.replace('http://127.0.0.1:4000', fixture.demo.url).replace(/^ *await page\.goto.*$/m, ''), {
      ...published,
      test: (_: string, tell: (fixtures: { page: Page }) => Promise<void>) => testBody.resolve(tell),
    })
    await (await testBody.promise)({ page })
    expect(fixture.demo.simulator.phone('zoe').following).not.toBeNull()
  })

  test('contains an example of a simulator in a separate process that works', async () => {
    const output: unknown[] = []
    let listening: ReturnType<typeof startListening> | undefined
    let made: published.Simulator | undefined
    await run(serving, {
      serve: ({ fetch }: { fetch: published.Simulator['app']['fetch'] }) => {
        listening = startListening({ fetch }, '127.0.0.1', 0)
      },
      createSimulator(options: published.SimulatorOptions) {
        expect(options.callbackUrl).toBe('http://127.0.0.1:4000/wechat/callback')
        made = published.createSimulator({ ...options, fetch: () => new Response('success') })
        return made
      },
      url: 'http://weixin.qq.com/q/nothing',
      console: { log: (text: unknown) => output.push(text) },
    })
    const { server, url } = await listening!
    const answer = await fetch(`${url}/cgi-bin/getcallbackip`)
    expect(await answer.json()).toMatchObject({ errcode: 41001 })
    expect(output).toEqual([undefined])
    made?.close()
    await stopListening(server)
  })
})
