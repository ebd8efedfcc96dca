/** Starts a bind server in a separate process, and sends requests to it as WeChat does. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Account } from '../../demo/simulator/account.ts'
import { sealMessage } from '../../demo/simulator/message.ts'
import { openReply, type Reply } from '../../demo/simulator/reply.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { type BindClient, createBindClient } from '../../server/client.ts'
import { compileCache } from './compile-cache.ts'
import { SECRET } from './test-server.ts'

/** The flags of `npm run serve`. */
export const nodeFlags = packageJson.scripts.serve.split(' ').filter((word) => word.startsWith('--'))

const cli = join(import.meta.dirname, '../../server/cli.ts')

export type Instance = {
  url: string
  client: BindClient
  child: ChildProcess
  /** The lines of its log. */
  log: string[]
  /** Resolves once its log has a matching line. */
  untilLogged(line: RegExp): Promise<void>
  /** Sends the signal and waits for the exit. Returns the exit code, or null when the signal ended the process. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** For `await using`, which also ends the server of a failed test. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Appends the command line of `serve` to `command`, which prepares the environment (for example `unshare`). */
export const serveBehind = (command: string[]): [string, string[]] => {
  const [first, ...rest] = [...command, process.execPath, ...nodeFlags, cli, 'serve']
  return [first!, rest]
}

let caching: Promise<unknown> | undefined

/** Fills the cache of compiled modules with a `serve` that ends by itself, because a killed one does not write it. */
const fillCompileCache = () =>
  promisify(execFile)(process.execPath, [...nodeFlags, cli, 'serve'], { env: compileCache }).catch(() => {})

/** Starts `serve` with these settings; resolves when it has logged its URL. */
export async function startInstance(
  account: Account,
  env: Record<string, string>,
  behind: string[] = [],
): Promise<Instance> {
  caching ??= fillCompileCache()
  await caching
  const child = spawn(...serveBehind(behind), {
    // The streams are pipes, because a reader of an inherited stderr would also wait for a server that is still running.
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...compileCache,
      WECHAT_APP_ID: account.appId,
      WECHAT_APP_SECRET: account.appSecret,
      WECHAT_TOKEN: account.token,
      WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
      // No server listens on this port, because a binding must not need WeChat's API.
      WECHAT_API_BASE: 'http://127.0.0.1:9',
      REPLY_BOUND: 'bound',
      REPLY_USED: 'used',
      REPLY_ALREADY_BOUND: 'already bound',
      REPLY_CONFLICT: 'conflict',
      BIND_KEYS: `k1:${SECRET}`,
      PORT: '0',
      ...env,
    },
  })
  child.stderr.pipe(process.stderr, { end: false })
  const log: string[] = []
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>()
  const lines = createInterface(child.stdout)
    .on('line', (line) => {
      log.push(line)
      const { url } = JSON.parse(line) as { url?: string }
      if (url) resolve(url)
    })
    .on('close', () => reject(new Error('serve exited before it was listening')))
  const url = await listening
  const client = createBindClient({ server: url, keyId: 'k1', key: SECRET })
  return {
    url,
    client,
    child,
    log,
    async untilLogged(line) {
      while (!log.some((logged) => line.test(logged))) await once(lines, 'line')
    },
    end: (signal) => end(child, signal),
    async [Symbol.asyncDispose]() {
      await end(child, 'SIGKILL')
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill(signal)
  return (await exited)[0]
}

export type Scan = { openid: string; scene: string; createTime?: number }

/** The query and the body of WeChat's request for a scan. */
export function sealScan(account: Account, { openid, scene, createTime = Math.floor(Date.now() / 1000) }: Scan) {
  const fields = {
    ToUserName: account.originalId,
    FromUserName: openid,
    CreateTime: createTime,
    MsgType: 'event',
    Event: 'SCAN',
    EventKey: scene,
  }
  const { query, body } = sealMessage(account, fields, Date.now(), randomBytes)
  return { query: new URLSearchParams(query), body }
}

/** Delivers a scan once. Returns the HTTP status (0 when there was no answer) and the reply in the chat. */
export async function deliverScan(
  account: Account,
  instance: Pick<Instance, 'url'>,
  scan: Scan,
): Promise<{ status: number; reply: Reply }> {
  const { query, body } = sealScan(account, scan)
  try {
    const response = await fetch(`${instance.url}/wechat/callback?${query}`, { method: 'POST', body })
    const answer = { status: response.status, body: await response.text() }
    return { status: answer.status, reply: openReply(account, scan.openid, answer) }
  } catch {
    return { status: 0, reply: { kind: 'fault', reason: 'no connection' } }
  }
}

export const replyText = ({ reply }: { reply: Reply }) => (reply.kind === 'text' ? reply.content : reply.kind)

/** Resolves once the instance's metrics count this many waiting pages. */
export async function untilWaiting({ url }: Pick<Instance, 'url'>, count: number): Promise<void> {
  const line = new RegExp(`^wechat_bind_waiters ${count}$`, 'm')
  while (!line.test(await (await fetch(`${url}/metrics`)).text())) await new Promise(setImmediate)
}
