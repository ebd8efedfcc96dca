/** A test server for the doctor to examine: the simulated WeChat with a `Date` on its answers, the bind server at PUBLIC_URL, and faults on the way. */
import { expect } from 'vitest'
import { type Env, parseConfig } from '../../../server/config/config.ts'
import type { Reach } from '../../../server/doctor/exchange.ts'
import type { Finding } from '../../../server/doctor/finding.ts'
import type { Fetch } from '../../../server/platform.ts'
import { openTestServer, SECRET } from '../../support/test-server.ts'

export type DoctorFixture = Awaited<ReturnType<typeof openDoctorFixture>>

export async function openDoctorFixture() {
  const testServer = await openTestServer()
  const { simulator, time } = testServer
  const { account } = simulator
  const stands: [part: string, stand: Fetch][] = []
  let skewMs: number | undefined = 0

  async function askWechat(url: string, init?: RequestInit): Promise<Response> {
    const { status, headers, body } = await simulator.app.request(url.replace('http://wechat.test', ''), init)
    const dated = new Headers(headers)
    if (skewMs !== undefined) dated.set('Date', new Date(time.clock() - skewMs).toUTCString())
    return new Response(body, { status, headers: dated })
  }

  const beyond: Fetch = async (url, init) =>
    url.startsWith('http://wechat.test/') ? askWechat(url, init) : testServer.app.request(url, init)

  const reach: Reach = {
    clock: time.clock,
    setTimer: time.setTimer,
    fetch: async (url, init) => (stands.find(([part]) => url.includes(part))?.[1] ?? beyond)(url, init),
  }

  const env = (more: Env = {}): Env => ({
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    WECHAT_TOKEN: account.token,
    WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
    WECHAT_API_BASE: 'http://wechat.test',
    PUBLIC_URL: 'http://bind.test',
    BIND_KEYS: `k1:${SECRET}`,
    DATABASE_URL: 'sqlite::memory:',
    ...more,
  })

  return {
    simulator,
    time,
    reach,
    env,
    config: (more?: Env) => parseConfig(env(more)),
    /** From now on `stand` answers every URL that holds `part`. */
    stand: (part: string, stand: Fetch) => void stands.unshift([part, stand]),
    /** The true answer, `ms` later: also when that is too late. */
    delay: (part: string, ms: number) =>
      void stands.unshift([
        part,
        async (url, init) => {
          time.advance(ms)
          return beyond(url, init)
        },
      ]),
    /** How far our clock is ahead of WeChat's; undefined: WeChat does not tell. */
    setSkew(ms: number | undefined): void {
      skewMs = ms
    },
    close: testServer.close,
  }
}

export const hangs: Fetch = () => new Promise(() => {})

/** As undici fails: the code is in the cause, and the message of the cause holds the address. */
export const refuses: Fetch = async (url) => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${url}`), { code: 'ECONNREFUSED' }) })
}

export const answers =
  (body: unknown, init?: ResponseInit): Fetch =>
  async () =>
    typeof body === 'string' || body === null ? new Response(body, init) : Response.json(body, init)

/** Complete in both languages, and with a fix unless all is well. */
export function expectPlain({ id, level, en, zh, fix }: Finding): void {
  expect(id).toMatch(/^[a-z-]+\.[A-Za-z_-]+$/)
  const texts = [{ en, zh }, ...(fix ? [fix] : [])]
  for (const { en: english, zh: chinese } of texts) {
    expect(english).toMatch(/^[A-Z\d].*\.$/)
    expect(chinese).toMatch(/[\u4e00-\u9fff].*。$/)
    expect(english + chinese).not.toMatch(/undefined|\.\.|。。|, ,| {2}/)
  }
  expect(fix !== undefined).toBe(level !== 'ok')
}

/** `id level` of each, once each has been found plain. */
export function idsOf(findings: Finding[]): string[] {
  for (const finding of findings) expectPlain(finding)
  return findings.map(({ id, level }) => `${id} ${level}`)
}
