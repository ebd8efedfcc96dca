#!/usr/bin/env node
/** The bin's commands. NODE. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createBindClient } from './client.ts'
import type { Env } from './config.ts'
import { runDoctor } from './doctor/doctor.ts'
import { BindError } from './errors.ts'
import { readKeyFile } from './key-file.ts'
import { type BindKey, parseKeys } from './keyring.ts'
import { closeOnSignal, startServer } from './main.ts'
import { runMigrate } from './migrate-command.ts'
import { createSettings } from './settings.ts'
import { runWebhooks } from './webhooks-command.ts'

const usage = `wechat-bind <command>

  serve                        run the bind server from the environment
                               按环境变量运行绑定服务
  demo                         the server with a simulated WeChat and a QA page
                               带模拟微信与测试页的演示
  doctor [--json]              say what is right and wrong with the settings, WeChat's side and the callback
                               检查配置、微信侧与回调地址，并给出改法
  webhooks [list|failed|replay [id]]
                               what the webhooks have not taken, and telling them again
                               查看未送达的 webhook 通知，或重新投递
  migrate --from sqlite:... --to postgres://...
                               move a store to PostgreSQL, verified row by row
                               将数据迁移到 PostgreSQL，并逐行核对
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
    const child = spawn(process.execPath, [fileURLToPath(main), ...args], { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
    child.on('exit', (code) => process.exit(code ?? 0))
  },

  doctor: runDoctor,

  webhooks: (args) => runWebhooks(args, process.env, console.log),

  migrate: (args) => runMigrate(args, process.env, console.log),

  async keygen(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { webhook: { type: 'boolean' } },
    })
    if (values.webhook) return console.log(`whsec_${randomBytes(32).toString('base64')}`)
    const [kid = `key-${randomBytes(3).toString('hex')}`] = positionals
    const entry = `${kid}:${randomBytes(32).toString('base64url')}`
    // Refuses a kid that BIND_KEYS could not hold.
    parseKeys(entry)
    console.log(entry)
  },

  async token(args) {
    const { positionals } = parseArgs({ args, allowPositionals: true })
    const [account, userId] = positionals
    if (!account || !userId) throw new BindError('BAD_REQUEST', 'Usage: wechat-bind token <account> <user>')
    const key = firstKey(process.env)
    // Minting makes no call, so no server is named.
    const client = createBindClient({ server: 'http://localhost', keyId: key.kid, key: key.secret })
    console.log(await client.mintToken({ account, userId, ttlSeconds: 3600 }))
  },
}

function firstKey(env: Env): BindKey {
  const settings = createSettings(env)
  const keys = env.BIND_KEYS_FILE ? readKeyFile(env.BIND_KEYS_FILE) : settings.parsed('BIND_KEYS', parseKeys, [])
  if (!keys[0]) throw new BindError('BAD_CONFIG', settings.faults.join('\n'))
  return keys[0]
}

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (command) {
  await command(args).catch((error: Error & { code?: string }) => {
    console.error(error instanceof BindError ? error.message : `wechat-bind: ${error.message}`)
    process.exit(1)
  })
} else {
  console.log(usage)
  process.exit(name === '' || name === '--help' ? 0 : 2)
}
