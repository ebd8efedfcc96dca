/** Runs the commands of the page "Living with it" in the order of the page. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSimulator } from '../demo/simulator/simulator.ts'
import { runBindings } from '../server/commands/bindings.ts'
import { createTestTerminal } from './support/test-terminal.ts'

const pages = ['living-with-it.md', 'living-with-it.zh-CN.md']

const blocksOf = (page: string, language: string) =>
  [...readFileSync(join(import.meta.dirname, '../docs', page), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text = '']) => text)

const commandsOf = (page: string) =>
  blocksOf(page, 'sh')
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('wechat-bind bindings '))

const NOW = Date.UTC(2026, 1, 1)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Replaces the paths in a command by paths in the test's folder. */
const toArguments = (command: string) =>
  command
    .split(' ')
    .slice(2)
    .map((word) => (/^bindings\.\w+$/.test(word) ? join(folder, word) : word))

async function run(args: string[]) {
  const migration = { appId: 'wxold', originalId: 'gh_0', confirmedAt: NOW - 1 }
  const simulator = createSimulator({
    people: ['amy'],
    migration,
    clock: () => NOW,
    account: { appId: 'wx1', appSecret: 's' },
  })
  const env = {
    WECHAT_APP_ID: 'wx1',
    WECHAT_APP_SECRET: 's',
    WECHAT_API_BASE: 'http://wechat.test',
    DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
  }
  const fetch = async (url: string, init?: RequestInit) =>
    simulator.app.request(url.replace('http://wechat.test', ''), init)
  const { terminal, written } = createTestTerminal()
  const code = await runBindings(args, { env, terminal, fetch, clock: () => NOW })
  return { code, text: written.out + written.err }
}

/** The patterns that the answers must match, in the order of the commands. */
const answers = [
  /OpenId {6}oAbCd1234[\s\S]*bound {2}import/,
  /u1/,
  /u1/,
  /3 binding/,
  /Tenant,Account,User_ID/,
  /Bind-User {3}\S{40}/,
  /Unbound: acme u2/,
  /"Reason":"operator"/,
  /"OpenId":"oAbCd1234"/,
  /Erased: acme u3/,
  /Dry run, nothing changed: 1 lines, 1 bound/,
  /Imported: 1 lines, 1 bound/,
  /Exported: 3 binding/,
  /Dry run, nothing changed: 1 moved/,
  /Moved: 1 moved, 0 refused/,
]

describe('the page "Living with it"', () => {
  test('has the same commands in both languages', () => {
    const [en, zh] = pages.map(commandsOf)
    expect(en).toHaveLength(answers.length)
    expect(zh).toEqual(en)
  })

  test('has commands that answer its ten questions', async () => {
    const [page = ''] = pages
    const before = createSimulator({ people: ['amy'], account: { appId: 'wxold' } })
    const seed = join(folder, 'seed.csv')
    writeFileSync(
      seed,
      `Account,User_ID,OpenId,UnionId,AppId,BoundAt
acme,u1,oAbCd1234,uAbCd1234,,2026-01-05
acme,u2,o2,,,2026-01-06
acme,u3,o3,,,2026-01-07
beta,amy,${before.phone('amy').openid},,wxold,2025-12-01
`,
    )
    writeFileSync(join(folder, 'bindings.csv'), blocksOf(page, 'csv').join(''))
    await run(['import', seed, '--any-app-id'])
    const results = []
    for (const command of commandsOf(page)) results.push({ command, ...(await run(toArguments(command))) })
    for (const [i, { command, code, text }] of results.entries()) {
      expect([command, code, text]).toEqual([command, 0, expect.stringMatching(answers[i]!)])
    }
  })

  test('contains a line of an export that can be imported', async () => {
    const file = join(folder, 'line.ndjson')
    writeFileSync(file, blocksOf(pages[0]!, 'json').join(''))
    expect(await run(['import', file])).toMatchObject({ code: 0 })
  })
})
