/** Starts a server in its own process on its own core, to measure it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account } from '../../../demo/simulator/account.ts'
import { nodeFlags } from '../../support/instance.ts'
import { CORES, pinned } from './pin.ts'
import { median } from './statistics.ts'

// The server and the load generator of the benchmark share this key.
export const SECRET_OF_BENCH = Buffer.from('a key of the benchmark: 32 bytes').toString('base64url')

/** The resources that the server's process has used so far. */
export type Usage = { cpuUs: number; rss: number; commits: number }

export type Served = { url: string; consoleUrl?: string; usage(): Promise<Usage>; end(): Promise<void> }

/** `file` is a script in this folder that calls `reportUsage`. */
export async function serve(
  file: string,
  env: Record<string, string> = {},
  execArgv: string[] = [],
  args: string[] = [],
): Promise<Served> {
  const pin = pinned(CORES.server)
  const child = fork(join(import.meta.dirname, file), args, {
    ...pin,
    execArgv: [...(pin.execArgv ?? []), ...execArgv],
    env: { ...process.env, ...env },
  })
  const started = new AbortController()
  const ended = once(child, 'exit', started).then(() => Promise.reject(new Error(`${file} ${args} exited`)))
  const [{ url, consoleUrl }] = (await Promise.race([once(child, 'message', started), ended])) as [Served]
  ended.catch(() => {})
  started.abort()
  return {
    url,
    consoleUrl,
    async usage() {
      child.send('usage')
      return (await once(child, 'message'))[0] as Usage
    },
    async end() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

/** Starts the bind server in the same way as `npm run serve`. */
export const serveOurs = (env: Record<string, string>): Promise<Served> => serve('serve-ours.ts', env, nodeFlags)

// If /tmp is in memory, a sync takes no time. In this case, set BENCH_FOLDER to a folder on a disk.
const newFolder = () => mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), 'wechat-bind-bench-'))

/**
 * Returns the time of one sync of the disk, in us. A server that commits each message separately waits for this time at
 * each message.
 */
export function syncMicros(): number {
  const folder = newFolder()
  const descriptor = openSync(join(folder, 'log'), 'w')
  const page = Buffer.alloc(4096)
  const times = Array.from({ length: 200 }, () => {
    writeSync(descriptor, page)
    const startedAt = performance.now()
    fdatasyncSync(descriptor)
    return (performance.now() - startedAt) * 1000
  })
  closeSync(descriptor)
  rmSync(folder, { recursive: true })
  return median(times)
}

/** Returns the environment of a bind server on a new SQLite file. `remove` deletes the file. */
export function newSqliteEnv(account: Account): { env: Record<string, string>; file: string; remove(): void } {
  const folder = newFolder()
  const file = join(folder, 'bind.db')
  return { env: toEnv(account, `sqlite:${file}`), file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const toEnv = (account: Account, databaseUrl: string): Record<string, string> => ({
  WECHAT_APP_ID: account.appId,
  WECHAT_APP_SECRET: account.appSecret,
  WECHAT_TOKEN: account.token,
  WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
  WECHAT_MODE: account.mode,
  // No server listens at this address. A binding must work without WeChat's API.
  WECHAT_API_BASE: 'http://127.0.0.1:9',
  BIND_KEYS: `k1:${SECRET_OF_BENCH}`,
  DATABASE_URL: databaseUrl,
  PORT: '0',
  HOST: '127.0.0.1',
  LOG_LEVEL: 'silent',
})
