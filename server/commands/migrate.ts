/** `wechat-bind migrate`: copies a store from SQLite to PostgreSQL and compares every row. Node only. */
import type { Env } from '../config/config.ts'
import { BindError } from '../errors.ts'
import { copyStore, type Digest } from '../store/copy-to-postgres.ts'
import { readArguments } from './arguments.ts'

const usage = `wechat-bind migrate --from sqlite:<file> [--to postgres://user:password@host/database]

  Stop the server first. The target database must be empty. Without --to the target is DATABASE_URL, which keeps the password
  out of the shell's history. After a fault the target holds no data: run the command again.
  请先停止服务。目标数据库须为空。不指定 --to 时使用 DATABASE_URL，以免密码留在命令历史中。出错时目标数据库不含任何数据，重新运行即可。`

/** Compares each table with its copy, and then prints one line about the table. */
export async function runMigrate(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { values } = readArguments(args, { usage, options: { from: { type: 'string' }, to: { type: 'string' } } })
  const { from = '', to = env.DATABASE_URL ?? '' } = values
  const [, file] = /^sqlite:(.+)$/.exec(from) ?? []
  if (file === undefined || !/^postgres(ql)?:\/\//.test(to)) throw new BindError('BAD_REQUEST', usage)
  const digests = await copyStore({ from: file, to, onTable: (digest) => print(toLine(digest)) })
  const rows = digests.reduce((sum, digest) => sum + digest.rows, 0)
  print(`Copied and compared: ${rows} rows. Set DATABASE_URL=postgres://... and start the server.`)
  print(`已复制并逐行核对：共 ${rows} 行。请将 DATABASE_URL 改为 postgres://...，然后启动服务。`)
}

const toLine = ({ table, rows, sha256 }: Digest) => `${table.padEnd(20)} ${String(rows).padStart(10)}  ${sha256}`
