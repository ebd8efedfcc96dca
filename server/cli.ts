#!/usr/bin/env node
/** The bin's commands. NODE. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createBindClient } from './client.ts'
import { BindError } from './errors.ts'
import { parseKeys } from './keyring.ts'
import { closeOnSignal, startServer } from './main.ts'

const usage = `wechat-bind <command>

  serve                        run the bind server from the environment
                               按环境变量运行绑定服务
  demo                         the server with a simulated WeChat and a QA page
                               带模拟微信与测试页的演示
  keygen [kid]                 print a new entry for BIND_KEYS
                               生成一条新的 BIND_KEYS
  token <account> <user>       mint a widget token for a trial, with the first of BIND_KEYS
                               用 BIND_KEYS 的第一个密钥签发试用令牌
`

type Command = (args: string[]) => Promise<void>

const commands: Record<string, Command> = {
  async serve() {
    const { close } = await startServer(process.env)
    closeOnSignal(close)
  },

  /** A process of its own: the server must not know the demo. */
  async demo(args) {
    const built = new URL('../demo/main.js', import.meta.url)
    const main = existsSync(built) ? built : new URL('../demo/main.ts', import.meta.url)
    const child = spawn(process.execPath, [main.pathname, ...args], { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
    child.on('exit', (code) => process.exit(code ?? 0))
  },

  async keygen([kid = `key-${randomBytes(3).toString('hex')}`]) {
    console.log(`${kid}:${randomBytes(32).toString('base64url')}`)
  },

  async token(args) {
    const { positionals } = parseArgs({ args, allowPositionals: true })
    const [account, userId] = positionals
    const [key] = process.env.BIND_KEYS ? parseKeys(process.env.BIND_KEYS) : []
    if (!account || !userId) throw new BindError('BAD_REQUEST', 'Usage: wechat-bind token <account> <user>')
    if (!key) throw new BindError('BAD_CONFIG', 'BIND_KEYS is missing: set it as the server has it.')
    // Minting makes no call, so no server is named.
    const client = createBindClient({ server: 'http://localhost', keyId: key.kid, key: key.secret })
    console.log(await client.mintToken({ account, userId, ttlSeconds: 3600 }))
  },
}

const [name = '', ...args] = process.argv.slice(2)
const command = commands[name]

if (command) {
  await command(args).catch((error: Error & { code?: string }) => {
    console.error(error instanceof BindError ? error.message : `wechat-bind: ${error.message}`)
    process.exit(1)
  })
} else {
  console.log(usage)
  process.exit(name === '' || name === '--help' ? 0 : 2)
}
