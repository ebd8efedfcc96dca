/**
 * `wechat-bind/playwright`: fixtures for the tests of a site that uses the element, with the demo as its bind server
 * and its WeChat. Each test has its own phone. The fixture removes the bindings of this phone before and after the
 * test. A test can therefore run again, even after a run that was killed, and tests can run in parallel. Node only.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test as base, type TestInfo } from '@playwright/test'
import { type BindClient, createBindClient } from '../server/client.ts'
import { createSimulatorClient, type PhoneClient } from './simulator/client.ts'
import type { ScanView } from './simulator/views.ts'

export { expect } from '@playwright/test'

/** The key that `webServer` gives to the demo. The back end of the site uses this key in its tests. */
export const testKey = { keyId: 'test', key: 'wechat-bind-key-for-tests-only-00000000000A' }

const DEFAULT_SERVER = 'http://127.0.0.1:4000'

export type User = { account: string; userId: string }

export type WebServerOptions = {
  /**
   * The origins of the site's pages, for the setting `ALLOWED_ORIGINS` of the bind server. The default is the
   * environment variable `ALLOWED_ORIGINS`.
   */
  allowedOrigins?: string[]
  /** The port of the demo. The default is 4000. */
  port?: number
  /** Further settings of the bind server, e.g. `{ CONFIRM: 'code' }`. */
  env?: Record<string, string>
}

/** The fields of Playwright's `webServer` that the function `webServer` sets. */
export type WebServer = {
  name: string
  command: string
  url: string
  env: Record<string, string>
  reuseExistingServer: boolean
  gracefulShutdown: { signal: 'SIGTERM'; timeout: number }
}

/**
 * An entry for `webServer` of playwright.config.ts. It starts the demo of the package `wechat-bind-server` with temporary data. The
 * call also passes the demo's URL to the fixtures, because Playwright reads the configuration in every worker.
 */
export function webServer({ allowedOrigins, port = 4000, env = {} }: WebServerOptions = {}): WebServer {
  const url = `http://127.0.0.1:${port}`
  process.env.WECHAT_BIND_TEST_SERVER = url
  return {
    name: 'wechat-bind',
    command: `"${process.execPath}" "${findCommand()}" demo --temporary`,
    url: `${url}/readyz`,
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      BIND_KEYS: `${testKey.keyId}:${testKey.key}`,
      ALLOWED_ORIGINS: allowedOrigins?.join(',') ?? process.env.ALLOWED_ORIGINS ?? '',
      ...env,
    },
    reuseExistingServer: !process.env.CI,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
  }
}

/**
 * Returns the path of the command `wechat-bind-server`. The package is installed for the site, or beside this package.
 */
function findCommand(): string {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const manifest = createRequire(from).resolve('wechat-bind-server/package.json')
      return join(dirname(manifest), 'dist/server/cli.js')
    } catch {
      // The package is not installed at this place.
    }
  }
  throw new Error('wechat-bind-server is not installed: npm install -D wechat-bind-server')
}

/**
 * The phone of one test. At the start of the test, the person with this phone does not follow the account and has no
 * binding.
 */
export type Wechat = Omit<PhoneClient, 'scan'> & {
  /** The name of the phone's person in the demo. */
  person: string
  /**
   * Scans the QR code on the page of `user`. Without `user` it scans the newest QR code of all users, so name the user in tests that
   * run in parallel. As in WeChat, the phone shows the button "Follow" if the person is not yet a follower. This method taps
   * the button, unless `follow` is false.
   */
  scan(user?: User, options?: { follow?: boolean }): Promise<ScanView>
  /**
   * Sets conditions of the demo, such as `{ confirm: 'code' }`, until the end of the test. The conditions apply to all tests that use
   * the same demo, so such tests must not run in parallel with others.
   */
  setConditions(conditions: Record<string, string>): Promise<void>
}

export type WechatFixtures = {
  wechat: Wechat
  /** Binds the phone of this test to the user without a page. The phone scans, follows and confirms. */
  bindUser: (user: User) => Promise<void>
  /** A client of the bind server with the key of the tests. */
  bind: BindClient
}

export type WechatOptions = {
  /** The URL of the demo. The default is the URL of `webServer`. */
  wechatServer: string
}

export const test = base.extend<WechatFixtures, WechatOptions>({
  wechatServer: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern.
    async ({}, use) => use(process.env.WECHAT_BIND_TEST_SERVER ?? DEFAULT_SERVER),
    { option: true, scope: 'worker' },
  ],

  bind: async ({ wechatServer }, use) => use(createBindClient({ server: wechatServer, ...testKey })),

  wechat: async ({ wechatServer, bind }, use, testInfo) => {
    const person = toPerson(testInfo)
    const phone = createSimulatorClient(`${wechatServer}/simulator`).phone(person)
    const forget = () => send(wechatServer, 'POST', 'reset', { people: [person] })
    let hasConditions = false
    await forget()
    await use({
      ...phone,
      person,
      async scan(user, { follow = true } = {}) {
        const url = user && (await bind.getQrCode(user)).Url
        return phone.scan(url === undefined ? { follow } : { url, follow })
      },
      async setConditions(conditions) {
        hasConditions = true
        await send(wechatServer, 'PUT', 'conditions', conditions)
      },
    })
    if (hasConditions) await send(wechatServer, 'PUT', 'conditions', {})
    await forget()
  },

  bindUser: async ({ wechatServer, wechat }, use) =>
    use(({ account, userId }) => send(wechatServer, 'POST', `bind/${wechat.person}`, { account, userId })),
})

/**
 * Returns the name of the person with this phone. A test has the same name in each run, and two tests that run in
 * parallel have different names.
 */
const toPerson = ({ testId, repeatEachIndex }: TestInfo) =>
  `test-${testId}-${repeatEachIndex}`.replace(/[^\w-]/g, '-').slice(0, 64)

async function send(server: string, method: 'POST' | 'PUT', path: string, body: object): Promise<void> {
  const init = { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
  const response = await fetch(`${server}/demo/${path}`, init).catch((cause) => {
    throw new Error(`The demo does not answer at ${server}: add webServer() to playwright.config.ts.`, { cause })
  })
  if (response.ok) return
  const { detail = '' } = (await response.json().catch(() => ({}))) as { detail?: string }
  throw new Error(`${method} /demo/${path} answered ${response.status} ${detail}`.trim())
}
