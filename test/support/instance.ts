/** A bind server as a process of its own, and what WeChat would send to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Account } from '../../demo/simulator/account.ts'
import { sealMessage } from '../../demo/simulator/message.ts'
import { openReply, type Reply } from '../../demo/simulator/reply.ts'
import { type BindClient, createBindClient } from '../../server/client.ts'
import { SECRET } from './house.ts'

const cli = join(import.meta.dirname, '../../server/cli.ts')

export type Instance = {
  url: string
  client: BindClient
  child: ChildProcess
  /** Sends the signal and waits for the end; its exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** `serve`, from its environment alone; ready when it says where it listens. */
export async function startInstance(account: Account, env: Record<string, string>): Promise<Instance> {
  const child = spawn(process.execPath, [cli, 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      WECHAT_APP_ID: account.appId,
      WECHAT_APP_SECRET: account.appSecret,
      WECHAT_TOKEN: account.token,
      WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
      // Nobody listens there: a binding must not need WeChat's API.
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
  for await (const line of createInterface(child.stdout!)) {
    const { url } = JSON.parse(line) as { url?: string }
    if (!url) continue
    // Its log goes on; unread, the pipe would fill.
    child.stdout!.resume()
    const client = createBindClient({ server: url, keyId: 'k1', key: SECRET })
    return { url, client, child, end: (signal) => end(child, signal) }
  }
  throw new Error('serve ended before it listened')
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill(signal)
  return (await exited)[0]
}

export type Scan = { openid: string; scene: string; createTime?: number }

/** One delivery of a scan: the HTTP status (0: no answer), and what the chat shows. */
export async function deliverScan(
  account: Account,
  instance: Pick<Instance, 'url'>,
  { openid, scene, createTime = Math.floor(Date.now() / 1000) }: Scan,
): Promise<{ status: number; reply: Reply }> {
  const fields = {
    ToUserName: account.originalId,
    FromUserName: openid,
    CreateTime: createTime,
    MsgType: 'event',
    Event: 'SCAN',
    EventKey: scene,
  }
  const { query, body } = sealMessage(account, fields, Date.now(), randomBytes)
  try {
    const url = `${instance.url}/wechat/callback?${new URLSearchParams(query)}`
    const response = await fetch(url, { method: 'POST', body })
    const answer = { status: response.status, body: await response.text() }
    return { status: answer.status, reply: openReply(account, openid, answer) }
  } catch {
    return { status: 0, reply: { kind: 'fault', reason: 'no connection' } }
  }
}

export const saysOf = ({ reply }: { reply: Reply }) => (reply.kind === 'text' ? reply.content : reply.kind)

/** Resolves once this many pages wait at the instance, by its own metrics. */
export async function untilWaiting({ url }: Instance, count: number): Promise<void> {
  const isThere = new RegExp(`^wechat_bind_waiters ${count}$`, 'm')
  while (!isThere.test(await (await fetch(`${url}/metrics`)).text())) await new Promise(setImmediate)
}
