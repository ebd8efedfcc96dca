/** `wechat-bind backup`: copies the whole store to a file, whether the server runs or not. Node only. */
import type { Env } from '../config/config.ts'
import { readDatabaseUrl } from '../config/config.ts'
import { BindError } from '../errors.ts'
import { backUpStore } from '../store/backup.ts'
import { readArguments } from './arguments.ts'

const usage = 'wechat-bind backup <file> [--force]'

export async function runBackup(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { values, positionals } = readArguments(args, {
    usage,
    options: { force: { type: 'boolean', default: false } },
    positionals: 1,
  })
  const [file] = positionals
  if (!file) throw new BindError('BAD_REQUEST', `Usage 用法: ${usage}`)
  const bytes = await backUpStore(readDatabaseUrl(env), { file, replaces: values.force, env: process.env })
  print(`${file}: ${bytes} bytes, readable by its owner only. Keep WECHAT_APP_SECRET with it.`)
  print(`${file}：${bytes} 字节，仅所有者可读。请与 WECHAT_APP_SECRET 一并保存。`)
}
