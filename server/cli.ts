#!/usr/bin/env node
/**
 * The bin `wechat-bind`: runs the command named in the first argument. A command is imported only after the version of Node was
 * checked, because on an old Node the import fails with an error that does not name the version. Node only.
 */
import { findModuleFault, findNodeFault, VERSION } from './config/version.ts'
import { BindError } from './errors.ts'

const usage = `wechat-bind <command>

  serve                        run the bind server, configured by the environment
                               运行绑定服务，配置取自环境变量
  demo                         run the server with a simulated WeChat and a QA page
                               运行演示：绑定服务、模拟微信与测试页
  doctor [--json] [--webhooks] check the settings, WeChat's API and the callback, and print the fixes;
                               --webhooks sends a signed webhook.test to every receiver
                               检查配置、微信接口与回调地址，并给出修复方法；--webhooks 向每个接收方发送签名的 webhook.test
  webhooks [list|failed|retry|replay|enable|test] [name|id]
                               show the webhook receivers and the undelivered notices, deliver them again, enable or test a receiver
                               查看 webhook 接收方与未送达的通知，重新投递，启用或测试接收方
  bindings <command>           list, show, unbind, erase, export, import and move bindings
                               列出、查看、解绑、抹除、导出、导入与迁移绑定
  backup <file> [--force]      copy the whole store to a file; the server may be running
                               将整个存储复制到文件，服务运行与否均可
  migrate --from sqlite:... --to postgres://...
                               copy the store to PostgreSQL and compare every row
                               将数据复制到 PostgreSQL，并逐行核对
  keygen [kid | --webhook | --console NAME [--operator]]
                               print a new key for BIND_KEYS, a new WEBHOOK_SECRET, or a token for CONSOLE_TOKENS
                               生成一个 BIND_KEYS 密钥、WEBHOOK_SECRET，或用于 CONSOLE_TOKENS 的令牌
  token <account> <user>       print a widget token for a test, made with the first key of BIND_KEYS
                               用 BIND_KEYS 的第一个密钥签发测试用的组件令牌
  --version                    print the version
                               显示版本
`

type Command = (args: string[]) => void | Promise<void>

const commands: Record<string, Command> = {
  serve: async (args) => (await import('./commands/serve.ts')).runServe(args, process.env),
  demo: async (args) => (await import('./commands/demo.ts')).runDemo(args),
  doctor: async (args) => (await import('./commands/doctor.ts')).runDoctor(args),
  webhooks: async (args) => (await import('./commands/webhooks.ts')).runWebhooks(args, process.env, console.log),
  bindings: async (args) => {
    const { setFlagsFromString } = await import('node:v8')
    // An import allocates many short-lived objects. With these flags a million lines take 150 MB of memory instead of 350.
    setFlagsFromString('--semi-space-growth-factor=1')
    setFlagsFromString('--heap-growing-percent=30')
    const { runBindings } = await import('./commands/bindings.ts')
    const { processTerminal } = await import('./commands/terminal.ts')
    process.exitCode = await runBindings(args, { env: process.env, terminal: processTerminal() })
  },
  backup: async (args) => (await import('./commands/backup.ts')).runBackup(args, process.env, console.log),
  migrate: async (args) => (await import('./commands/migrate.ts')).runMigrate(args, process.env, console.log),
  keygen: async (args) => (await import('./commands/keygen.ts')).runKeygen(args, console.log),
  token: async (args) => (await import('./commands/token.ts')).runToken(args, process.env, console.log),
  '--version': async (args) => {
    const { readArguments } = await import('./commands/arguments.ts')
    readArguments(args, { usage: 'wechat-bind --version' })
    console.log(VERSION)
  },
}

const oldNode = findNodeFault()
if (oldNode !== undefined) {
  console.error(oldNode)
  process.exit(1)
}

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (command) {
  try {
    await command(args)
  } catch (error) {
    const { message } = error as Error
    console.error(error instanceof BindError ? message : (findModuleFault(error as Error) ?? `wechat-bind: ${message}`))
    process.exit(1)
  }
} else if (name === '' || name === '--help') {
  console.log(usage)
} else {
  // The name is not echoed, because it may be a password in a URL.
  console.error(`wechat-bind: unknown command. 未知的命令。\n\n${usage}`)
  process.exit(2)
}
