/**
 * Copies a store to a file, as a snapshot of one moment even while other processes write. SQLite is copied by `VACUUM INTO`, which
 * leaves out free pages, and PostgreSQL by `pg_dump`.
 *
 * The copy is written to a temporary file in the same folder, with mode 0600 from the start. The file gets its final name when the
 * copy is complete, so an incomplete copy is never taken for a backup. Node only.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, open, rename, rm, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { BindError } from '../errors.ts'

type BackupOptions = {
  file: string
  /** Whether an existing file is replaced. */
  replaces: boolean
  /** The environment for `pg_dump`, which needs PATH. */
  env: Record<string, string | undefined>
}

const SQLITE = 'sqlite:'

// A running server usually holds the lock for some milliseconds. The switch to WAL and a checkpoint hold the lock longer.
const BUSY_TIMEOUT_MS = 10_000

/** Returns the size of the copy in bytes. Throws `BAD_REQUEST` or `BAD_CONFIG`. */
export async function backUpStore(databaseUrl: string, { file, replaces, env }: BackupOptions): Promise<number> {
  if (!replaces && existsSync(file)) throw exists(file)
  const part = `${file}.${randomBytes(6).toString('hex')}.part`
  // Fails if the file exists, because the copy must not follow a link that another user has created.
  const created = await open(part, 'wx', 0o600).catch((cause) => {
    throw cannotWrite(file, cause)
  })
  await created.close()
  try {
    if (databaseUrl.startsWith(SQLITE)) copyFile(databaseUrl.slice(SQLITE.length), part)
    else await dump(databaseUrl, part, env)
    const { size } = await sync(part)
    if (replaces) await replace(part, file)
    else await linkNew(part, file)
    return size
  } finally {
    await rm(part, { force: true })
  }
}

function copyFile(from: string, to: string): void {
  // Without this check, `DatabaseSync` would create the file.
  if (!existsSync(from)) {
    throw new BindError(
      'BAD_CONFIG',
      `DATABASE_URL: there is no database at ${from}: set it as for the server, and run the command in the server's folder or with an absolute path.\n    ${from} 处没有数据库：请使用与服务相同的 DATABASE_URL，并在服务的工作目录中运行，或使用绝对路径。`,
    )
  }
  const database = new DatabaseSync(from)
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
    database.prepare('vacuum into ?').run(to)
  } catch (cause) {
    throw failed((cause as Error).message, cause)
  } finally {
    database.close()
  }
}

/** The password is passed in the environment, because every user of the machine can read the arguments of a process. */
async function dump(databaseUrl: string, to: string, env: BackupOptions['env']): Promise<void> {
  const url = new URL(databaseUrl)
  const password = decodeURIComponent(url.password)
  url.password = ''
  const args = ['--format=custom', `--file=${to}`, `--dbname=${url.href}`]
  try {
    await promisify(execFile)('pg_dump', args, { env: { ...env, ...(password && { PGPASSWORD: password }) } })
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: unknown; stderr?: string }
    throw code === 'ENOENT' ? noPgDump() : failed(stderr.trim() || String(code), cause)
  }
}

async function sync(file: string): Promise<{ size: number }> {
  const written = await open(file, 'r+')
  try {
    await written.sync()
    return await stat(file)
  } finally {
    await written.close()
  }
}

/** Fails if the name is that of a folder. */
async function replace(part: string, file: string): Promise<void> {
  await rename(part, file).catch((cause) => {
    throw cannotWrite(file, cause)
  })
}

/** Fails if a file with this name was created during the copy. */
async function linkNew(part: string, file: string): Promise<void> {
  await link(part, file).catch((cause) => {
    throw cause.code === 'EEXIST' ? exists(file) : cannotWrite(file, cause)
  })
}

const exists = (file: string) =>
  new BindError(
    'BAD_REQUEST',
    `${file} exists: choose another name, for example with the date in it, or replace it with --force.\n    ${file} 已存在：请使用其他名称（例如带日期），或用 --force 替换。`,
  )

const cannotWrite = (file: string, cause: NodeJS.ErrnoException) =>
  new BindError(
    'BAD_REQUEST',
    `${file} cannot be written (${cause.code}): the name must be that of a file in an existing folder, and this user must have the right to write in it.\n    无法写入 ${file}（${cause.code}）：须为已有文件夹中的文件名，且当前用户须有写权限。`,
    { cause },
  )

const failed = (reason: string, cause: unknown) =>
  new BindError('BAD_CONFIG', `The store could not be copied: ${reason}\n    无法复制存储：${reason}`, { cause })

const noPgDump = () =>
  new BindError(
    'BAD_CONFIG',
    'PostgreSQL is copied by pg_dump, which is not on the PATH: install the PostgreSQL client (Debian: apt install postgresql-client), of the version of the database or newer, or run pg_dump --format=custom where it is installed.\n    PostgreSQL 由 pg_dump 复制，但 PATH 中没有它：请安装 PostgreSQL 客户端（Debian：apt install postgresql-client），版本不低于数据库；或在已安装的机器上运行 pg_dump --format=custom。',
  )
