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

/** The flags that `npm run serve` passes to Node. */
export const nodeFlags = packageJson.scripts.serve.split(' ').filter((word) => word.startsWith('--'))

const cli = join(import.meta.dirname, '../../server/cli.ts')

export type Instance = {
  url: string
  client: BindClient
  child: ChildProcess
  /** The lines of the server's log. */
  log: string[]
  /** Resolves when the log has a matching line. */
  untilLogged(line: RegExp): Promise<void>
  /** Sends the signal and waits for the exit. Returns the exit code, or null when the signal ended the process. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Ends the server. Called by `await using`, even if the test fails. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Returns a command line that runs `serve` with `command`. The command, for example `unshare`, prepares the environment
 * of the server.
 */
export const serveBehind = (command: string[]): [string, string[]] => {
  const [first, ...rest] = [...command, process.execPath, ...nodeFlags, cli, 'serve']
  return [first!, rest]
}

let caching: Promise<unknown> | undefined

/**
 * Fills the cache of compiled modules. Runs a `serve` that ends by itself, because a process that is killed does not
 * write the cache.
 */
const fillCompileCache = () =>
  promisify(execFile)(process.execPath, [...nodeFlags, cli, 'serve'], { env: compileCache }).catch(() => {})

/** Starts `serve` with these settings. Resolves when the server has logged its URL. */
export async function startInstance(
  account: Account,
  env: Record<string, string>,
  behind: string[] = [],
): Promise<Instance> {
  caching ??= fillCompileCache()
  await caching
  const child = spawn(...serveBehind(behind), {
    // The streams are pipes and not inherited. A program that reads the test's output would otherwise wait for a server
    // that is still running.
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...compileCache,
      WECHAT_APP_ID: account.appId,
      WECHAT_APP_SECRET: account.appSecret,
      WECHAT_TOKEN: account.token,
      WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
      // No server listens on this port. A binding must work without WeChat's API.
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
    .on('close', () => reject(new Error('the server exited before it was listening')))
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

/** Returns the query and the body of the request that WeChat sends after a scan. */
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

/**
 * Delivers the message of a scan once. Returns the HTTP status and the reply in the chat. The status is 0 if there was
 * no answer.
 */
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

/** Resolves when the metrics of the instance report this number of waiting pages. */
export async function untilWaiting({ url }: Instance, count: number): Promise<void> {
  const line = new RegExp(`^wechat_bind_waiters ${count}$`, 'm')
  while (!line.test(await (await fetch(`${url}/metrics`)).text())) await new Promise(setImmediate)
}
