#!/usr/bin/env node
/** The bin's commands. NODE. */
import { runDemo } from './commands/demo.ts'
import { runDoctor } from './commands/doctor.ts'
import { runKeygen } from './commands/keygen.ts'
import { runMigrate } from './commands/migrate.ts'
import { runServe } from './commands/serve.ts'
import { runToken } from './commands/token.ts'
import { runWebhooks } from './commands/webhooks.ts'
import { BindError } from './errors.ts'

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

type Command = (args: string[]) => void | Promise<void>

const commands: Record<string, Command> = {
  serve: () => runServe(process.env),
  demo: runDemo,
  doctor: runDoctor,
  webhooks: (args) => runWebhooks(args, process.env, console.log),
  migrate: (args) => runMigrate(args, process.env, console.log),
  keygen: (args) => runKeygen(args, console.log),
  token: (args) => runToken(args, process.env, console.log),
}

const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (command) {
  try {
    await command(args)
  } catch (error) {
    const { message } = error as Error
    console.error(error instanceof BindError ? message : `wechat-bind: ${message}`)
    process.exit(1)
  }
} else {
  console.log(usage)
  process.exit(name === '' || name === '--help' ? 0 : 2)
}
