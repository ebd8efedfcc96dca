/**
 * Starts the server that the soak measures: `serve` in its own process with its log in a file, and all systems to which
 * it connects.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createAccount } from '../../../demo/simulator/account.ts'
import { type BindClient, createBindClient } from '../../../server/client.ts'
import { CONSOLE_TOKENS } from '../../support/console-client.ts'
import { nodeFlags } from '../../support/instance.ts'
import { startWechatApi } from '../support/wechat-api.ts'
import { startReceivers } from './receivers.ts'

export type Soaked = Awaited<ReturnType<typeof startSoaked>>

const cli = join(import.meta.dirname, '../../../server/cli.ts')

/** The origin of the pages. */
export const ORIGIN = 'https://shop.example'

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

/** The server may read the file at any time, so the new file gets its name only when it is complete. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

export async function startSoaked(databaseUrl: string, folder: string) {
  const account = createAccount({}, randomBytes)
  const wechat = await startWechatApi()
  const receivers = await startReceivers()
  const files = {
    keys: join(folder, 'keys'),
    webhooks: join(folder, 'webhooks.json'),
    log: join(folder, 'server.log'),
  }
  let kid = 0
  let keys: string[] = []
  let secrets: string[] = []
  let client: BindClient

  /** Adds a key and removes the oldest key, as an operator does. Does the same with the secret of the webhooks. */
  function rotate(): string {
    keys = [...keys.slice(-1), `k${++kid}:${randomBytes(32).toString('base64url')}`]
    secrets = [newSecret(), ...secrets.slice(0, 1)]
    replaceFile(files.keys, keys.join('\n'))
    replaceFile(files.webhooks, JSON.stringify(receivers.urls.map(([name, url]) => ({ name, url, secrets }))))
    return keys.at(-1)!
  }

  const newClient = (url: string, key: string) => {
    const [keyId = '', secret = ''] = key.split(':')
    return createBindClient({ server: url, keyId, key: secret })
  }

  const firstKey = rotate()
  const env = {
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    WECHAT_TOKEN: account.token,
    WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
    WECHAT_API_BASE: wechat.url,
    WECHAT_OAUTH: 'on',
    PUBLIC_URL: 'https://bind.example',
    BIND_KEYS_FILE: files.keys,
    WEBHOOKS_FILE: files.webhooks,
    FORWARD_URL: receivers.forwardUrl,
    ALLOWED_ORIGINS: ORIGIN,
    CONSOLE_PORT: '0',
    CONSOLE_TOKENS,
    DATABASE_URL: databaseUrl,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    TICKET_TTL: '60',
    QR_PER_MINUTE: '1000',
    QR_PER_HOUR: '60000',
    QR_PER_DAY: '1000000',
    QR_PER_MINUTE_TENANT: '1000000',
    QR_PER_DAY_TENANT: '1000000000',
  }
  const preload = new URL('report-heap.ts', import.meta.url).href
  const log = openSync(files.log, 'a')
  const child = spawn(process.execPath, [...nodeFlags, `--import=${preload}`, cli, 'serve'], {
    stdio: ['ignore', log, 'inherit', 'ipc'],
    env: { PATH: process.env.PATH, ...env },
  })
  const urls = await firstLine(files.log, () => child.exitCode === null)
  client = newClient(urls.url, firstKey)

  return {
    account,
    wechat,
    receivers,
    files,
    env,
    urls,
    pid: child.pid!,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    client: () => client,
    /** Rotates the key of the back end and the secret of the webhooks. The server notices both within a second. */
    async rotateKeys(): Promise<void> {
      const key = rotate()
      await delay(2_500)
      client = newClient(urls.url, key)
    },
    /** Returns the memory in use after a garbage collection, in bytes. */
    async heap(): Promise<number> {
      child.send('heap')
      return (await once(child, 'message'))[0] as number
    },
    async writeSnapshot(file: string): Promise<void> {
      child.send(file)
      await once(child, 'message')
    },
    async end(): Promise<void> {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      }
      wechat.end()
      receivers.end()
    },
  }
}

type Urls = { url: string; ops: string; console: string }

/** Reads the log line that contains the URLs of the server. */
async function firstLine(file: string, isRunning: () => boolean): Promise<Urls> {
  while (isRunning()) {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((each) => each.includes('"url":'))
    if (line) return JSON.parse(line) as Urls
    await delay(20)
  }
  throw new Error('the server exited before it was listening')
}
