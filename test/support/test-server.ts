/** Runs the whole system in one process: the server with a store in memory, a simulated WeChat, and a clock that the test advances. */
import { randomBytes } from 'node:crypto'
import type { Account } from '../../demo/simulator/account.ts'
import { sealMessage } from '../../demo/simulator/message.ts'
import { createSimulator } from '../../demo/simulator/simulator.ts'
import { createBindClient } from '../../server/client.ts'
import { type Env, parseConfig } from '../../server/config/config.ts'
import { openApp } from '../../server/open-app.ts'
import type { Fetch, Log } from '../../server/platform.ts'
import type { Store } from '../../server/store/store.ts'
import type { WechatMode } from '../../server/wechat/message.ts'
import { createFakeTime } from './fake-time.ts'

export type TestServer = Awaited<ReturnType<typeof openTestServer>>

export const SECRET = randomBytes(32).toString('base64url')
export const OTHER_SECRET = randomBytes(32).toString('base64url')

/** Collects the log, so that a test can search it for secrets. */
export function createTestLog(): Log & { lines: string[] } {
  const lines: string[] = []
  const write = (fields: object, message: string) => void lines.push(JSON.stringify({ ...fields, message }))
  return { lines, debug: write, info: write, warn: write, error: write }
}

export type TestServerOptions = {
  /** Answers the requests of the server to all hosts except WeChat. */
  neighbour?: Fetch
  wrapStore?: (store: Store) => Store
  /**
   * Settings of the Official Account. To simulate a restart, a test passes the account of an earlier test server. The
   * users of the account have no unionid.
   */
  account?: Partial<Account>
}

export async function openTestServer(env: Env = {}, { neighbour, wrapStore, account: given }: TestServerOptions = {}) {
  // The clock starts at the real time, because the verifier of Standard Webhooks reads the real clock.
  const time = createFakeTime(Math.floor(Date.now() / 1000) * 1000)
  const log = createTestLog()
  const simulator = createSimulator({
    clock: time.clock,
    delay: (ms, signal) => time.delay(ms, signal),
    // By default the simulator calls the app as a function. A test can serve the app on a port instead.
    fetch: (url, init) => (url.startsWith('http://bind.test/') ? testServer.app.request(url, init) : fetch(url, init)),
    callbackUrl: 'http://bind.test/wechat/callback',
    people: ['amy', 'bo', 'cy'],
    account: { hasUnionid: false, ...given, mode: (env.WECHAT_MODE ?? 'secure') as WechatMode },
  })
  const { account } = simulator
  const config = parseConfig({
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    WECHAT_TOKEN: account.token,
    WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
    WECHAT_API_BASE: 'http://wechat.test',
    BIND_KEYS: `k1:${SECRET},k2:${OTHER_SECRET}:other`,
    DATABASE_URL: 'sqlite::memory:',
    LOG_LEVEL: 'silent',
    // Without a pool of QR codes, every call to WeChat belongs to a request of the test.
    QR_READY: '0',
    ...env,
  })
  const opened = await openApp(config, {
    log,
    clock: time.clock,
    setTimer: time.setTimer,
    wrapStore,
    fetch: async (input, init) => {
      if (neighbour && !input.startsWith('http://wechat.test/')) return neighbour(input, init)
      return simulator.app.request(input.replace('http://wechat.test', ''), init)
    },
  })
  const clientFor = (keyId: string, key: string) =>
    createBindClient({
      server: 'http://bind.test',
      keyId,
      key,
      clock: time.clock,
      fetch: (async (input: URL, init: RequestInit) => opened.app.request(input.href, init)) as typeof fetch,
    })

  const testServer = {
    ...opened,
    time,
    log,
    simulator,
    config,
    client: clientFor('k1', SECRET),
    otherTenant: clientFor('k2', OTHER_SECRET),
    phone: simulator.phone,
    /** A client that sends its requests over a real connection. */
    clientOver: (server: string) => createBindClient({ server, keyId: 'k1', key: SECRET, clock: time.clock }),
    /** Sends a request of a page for this user of the account `acme`. */
    async widget(method: string, path: string, options: WidgetOptions = {}): Promise<Response> {
      const { user = 'u1', headers, body, scope, signal } = options
      const token =
        options.token ??
        (await testServer.client.mintToken({ account: 'acme', userId: user, scope, label: options.label }))
      return opened.app.request(`/widget${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
      })
    },
    /** Returns the text in the user's QR code. */
    async ticketUrl(user = 'u1', isRefresh = false): Promise<string> {
      return (await testServer.client.getQrCode({ account: 'acme', userId: user, isRefresh })).Url
    },
    /** Creates WeChat's request with a message. By default the message is a greeting, and `fields` can override it. */
    message(fields: MessageFields = HELLO, mode = account.mode) {
      const now = time.clock()
      const CreateTime = Math.floor(now / 1000)
      const whole = { ToUserName: account.originalId, FromUserName: 'oAmy', CreateTime, MsgType: 'event', ...fields }
      const { query, body } = sealMessage({ ...account, mode }, whole, now, (size) => Buffer.alloc(size, 7))
      return { path: `/wechat/callback?${new URLSearchParams(query)}`, body }
    },
    /** Delivers a message to the callback. */
    async deliver(fields?: MessageFields, mode?: WechatMode): Promise<Response> {
      const { path, body } = testServer.message(fields, mode)
      return opened.app.request(path, { method: 'POST', body })
    },
    bindInfo: (user = 'u1') => testServer.client.getBindInfo({ account: 'acme', userId: user }),
  }
  return testServer
}

type MessageFields = Record<string, string | number>

/** A message that is not about binding. */
const HELLO: MessageFields = { MsgType: 'text', Content: 'hello', MsgId: '1' }

type WidgetOptions = {
  user?: string
  token?: string
  label?: string
  scope?: ('bind' | 'unbind')[]
  headers?: Record<string, string>
  body?: unknown
  signal?: AbortSignal
}
