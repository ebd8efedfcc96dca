/** The bin, run as a process. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseKeys } from '../../server/keys/keyring.ts'
import { parseOperators } from '../../server/keys/operators.ts'
import { openToken } from '../../server/keys/widget-token.ts'
import { compileCache } from '../support/compile-cache.ts'
import { SECRET } from '../support/test-server.ts'

const cli = join(import.meta.dirname, '../../server/cli.ts')

const settings = {
  WECHAT_APP_ID: 'wx1234567890abcdef',
  WECHAT_APP_SECRET: 'the-app-secret',
  WECHAT_TOKEN: 'token123',
  WECHAT_ENCODING_AES_KEY: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  BIND_KEYS: `k1:${SECRET}`,
  PORT: '0',
}

type Ended = { code: number; stdout: string; stderr: string }

const run = (args: string[], env?: Record<string, string>): Promise<Ended> => runNode([cli, ...args], env)

const runNode = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...compileCache, ...env }, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })

const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.15.1' } })`
const onOldNode = `--import=data:text/javascript,${encodeURIComponent(old)}`

describe('wechat-bind', () => {
  test('prints its commands in both languages, and refuses an unknown command', async () => {
    const [help, unknown, inherited] = await Promise.all([run([]), run(['frobnicate']), run(['toString'])])
    expect([help.code, unknown.code, inherited.code]).toEqual([0, 2, 2])
    expect([unknown.stdout, unknown.stderr]).toEqual([
      '',
      expect.stringMatching(/^wechat-bind: unknown command\. 未知的命令。\n/),
    ])
    expect(unknown.stderr).not.toContain('frobnicate')
    for (const word of ['serve', 'demo', 'keygen', 'token', '绑定服务']) expect(help.stdout).toContain(word)
  })

  test('prints its version', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('prints one line with the required version on a Node that is too old', async () => {
    const { code, stdout, stderr } = await run(['serve'], { NODE_OPTIONS: onOldNode })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^wechat-bind needs Node 22\.16 or newer, this is Node 22\.15\.1\..*22\.15\.1。\n$/)
  })

  test('an import of the package throws the line about the required version, before any other file is imported', async () => {
    const index = join(import.meta.dirname, '../../server/index.ts')
    const script = `import(${JSON.stringify(index)}).catch((error) => console.log(error.code, error.message))`
    const { stdout } = await runNode(['--input-type=module', '-e', script], { NODE_OPTIONS: onOldNode })
    expect(stdout).toMatch(/^BAD_CONFIG wechat-bind needs Node 22\.16 or newer, this is Node 22\.15\.1\./)
    expect(readFileSync(index, 'utf8')).toMatch(/^\/\*\*[^/]*\*\/\nimport '\.\/config\/require-node\.ts'\n/)
  })

  test.each(['serve', 'backup', 'webhooks'])('%s prints one line that says how to get node:sqlite', async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    const env = {
      ...settings,
      DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
      NODE_OPTIONS: '--no-experimental-sqlite',
    }
    const { code, stderr } = await run([name, ...(name === 'backup' ? [join(folder, 'copy.db')] : [])], env)
    rmSync(folder, { recursive: true })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^wechat-bind needs node:sqlite, .* remove --no-experimental-sqlite .*请.*去掉 --no-experimental-sqlite.*\n$/,
    )
  })

  test.each([
    ['serve', 'extra'],
    ['demo', 'extra'],
    ['doctor', 'extra'],
    ['doctor', '--verbose'],
    ['keygen', 'mine', 'other'],
    ['keygen', 'mine', '--webhook'],
    ['keygen', 'mine', '--console', 'alice'],
    ['keygen', '--operator'],
    ['keygen', '--webhook', '--console', 'alice'],
    ['token', 'acme', 'u1', 'u2'],
    ['backup', 'a.db', 'b.db'],
    ['migrate', '--from', 'sqlite:a.db', 'postgres://user:hush@host/bind'],
    ['--version', 'extra'],
  ])('refuses an unexpected argument: %s %s', async (...args) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^wechat-bind: (there is an unexpected argument|an option is unknown or has no value)\. .*。\nUsage 用法: wechat-bind /,
    )
    expect(stderr).not.toContain('hush')
  })

  test('serve refuses to start, and names every missing setting with its fix', async () => {
    const { code, stdout, stderr } = await run(['serve'])
    expect([code, stdout]).toEqual([1, ''])
    for (const name of ['WECHAT_APP_ID', 'WECHAT_APP_SECRET', 'WECHAT_TOKEN', 'WECHAT_ENCODING_AES_KEY', 'BIND_KEYS']) {
      expect(stderr).toContain(name)
    }
    expect(stderr).toContain('无法启动')
  })

  test('keygen --console prints a token for CONSOLE_TOKENS', async () => {
    const [viewer, operator, wrong] = await Promise.all([
      run(['keygen', '--console', 'alice']),
      run(['keygen', '--console', 'bob', '--operator']),
      run(['keygen', '--console', 'a b']),
    ])
    const tokens = parseOperators(`${viewer.stdout},${operator.stdout}`)
    expect(tokens.map(({ name, role, secret }) => [name, role, secret.length])).toEqual([
      ['alice', 'viewer', 43],
      ['bob', 'operator', 43],
    ])
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
  })

  test('keygen prints a valid key for BIND_KEYS, a different one each time', async () => {
    const [one, two] = await Promise.all([run(['keygen', 'mine']), run(['keygen'])])
    expect(parseKeys(one.stdout.trim())[0]).toMatchObject({ kid: 'mine', tenant: 'default' })
    expect(parseKeys(two.stdout.trim())[0]?.kid).toMatch(/^key-/)
    expect(one.stdout).not.toBe(two.stdout)
  })

  test('token prints a widget token', async () => {
    const { stdout } = await run(['token', 'acme', 'u1'], { BIND_KEYS: `k1:${SECRET}` })
    const [key] = parseKeys(`k1:${SECRET}`)
    const claims = await openToken(stdout.trim(), () => key, Date.now())
    expect(claims).toMatchObject({ Account: 'acme', User_ID: 'u1', scope: ['bind', 'unbind'] })
  })

  test('token uses the first key of BIND_KEYS_FILE if that is set', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    const file = join(folder, 'keys')
    writeFileSync(file, `# comment\nk9:${SECRET}\n`)
    const { stdout } = await run(['token', 'acme', 'u1'], { BIND_KEYS_FILE: file })
    rmSync(folder, { recursive: true })
    expect(JSON.parse(Buffer.from(stdout.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid: 'k9' })
  })

  test('token reports a missing argument or setting in both languages, without a secret', async () => {
    const [noUser, noKeys, badKeys] = await Promise.all([
      run(['token', 'acme']),
      run(['token', 'acme', 'u1']),
      run(['token', 'acme', 'u1'], { BIND_KEYS: `k1:${SECRET}:a:b` }),
    ])
    expect([noUser.code, noKeys.code, badKeys.code]).toEqual([1, 1, 1])
    expect(noKeys.stderr).toMatch(/^BIND_KEYS: is missing: .*\n +缺失：/)
    expect(badKeys.stderr).toMatch(/^BIND_KEYS: must be .*\n +须为 /)
    expect(badKeys.stderr).not.toContain(SECRET)
  })
})
