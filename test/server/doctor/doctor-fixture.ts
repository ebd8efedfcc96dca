/** A test server for the doctor's checks: the simulated WeChat, whose answers have a `Date`, the bind server at PUBLIC_URL, and faults of the network. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Env, parseConfig } from '../../../server/config/config.ts'
import type { Finding } from '../../../server/doctor/finding.ts'
import type { ProbeDeps } from '../../../server/doctor/http-probe.ts'
import type { Fetch } from '../../../server/platform.ts'
import { openTestServer, SECRET } from '../../support/test-server.ts'

export type DoctorFixture = Awaited<ReturnType<typeof openDoctorFixture>>

export async function openDoctorFixture() {
  const testServer = await openTestServer()
  const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  const { simulator, time } = testServer
  const { account } = simulator
  const overrides: [part: string, fetch: Fetch][] = []
  let skewMs: number | undefined = 0

  async function requestSimulator(url: string, init?: RequestInit): Promise<Response> {
    const { status, headers, body } = await simulator.app.request(url.replace('http://wechat.test', ''), init)
    const dated = new Headers(headers)
    if (skewMs !== undefined) dated.set('Date', new Date(time.clock() - skewMs).toUTCString())
    return new Response(body, { status, headers: dated })
  }

  const network: Fetch = async (url, init) =>
    url.startsWith('http://wechat.test/') ? requestSimulator(url, init) : testServer.app.request(url, init)

  const deps: ProbeDeps = {
    clock: time.clock,
    setTimer: time.setTimer,
    fetch: async (url, init) => (overrides.find(([part]) => url.includes(part))?.[1] ?? network)(url, init),
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
    deps,
    env,
    config: (more?: Env) => parseConfig(env(more), () => []),
    /** From now on `fetch` answers every URL that contains `part`. */
    answerWith: (part: string, fetch: Fetch) => void overrides.unshift([part, fetch]),
    /** The real answer, `ms` later on the fake clock, even if that is after the time limit. */
    delay: (part: string, ms: number) =>
      void overrides.unshift([
        part,
        async (url, init) => {
          time.advance(ms)
          return network(url, init)
        },
      ]),
    /** The server's clock minus WeChat's; undefined: WeChat's answers have no `Date`. */
    setSkew(ms: number | undefined): void {
      skewMs = ms
    },
    /** The store of a test that opens it more than once. The file does not exist yet. */
    storeUrl: `sqlite:${join(folder, 'bind.db')}`,
    async close() {
      await testServer.close()
      rmSync(folder, { recursive: true })
    },
  }
}

export const hangs: Fetch = () => new Promise(() => {})

/** Fails like undici: the code is in the cause, and the message of the cause contains the URL. */
export const refuses: Fetch = async (url) => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${url}`), { code: 'ECONNREFUSED' }) })
}

export const answers =
  (body: unknown, init?: ResponseInit): Fetch =>
  async () =>
    typeof body === 'string' || body === null ? new Response(body, init) : Response.json(body, init)

/** The texts are whole sentences in both languages, with a fix unless the level is `ok`. */
export function expectComplete({ id, level, en, zh, fix }: Finding): void {
  expect(id).toMatch(/^[a-z-]+\.[A-Za-z_-]+$/)
  const texts = [{ en, zh }, ...(fix ? [fix] : [])]
  for (const { en: english, zh: chinese } of texts) {
    expect(english).toMatch(/^[A-Z\d].*\.$/)
    expect(chinese).toMatch(/[\u4e00-\u9fff].*。$/)
    expect(english + chinese).not.toMatch(/undefined|\.\.|。。|, ,| {2}/)
  }
  expect(fix !== undefined).toBe(level !== 'ok')
}

/** `id level` of each finding, after a check of its texts. */
export function idsOf(findings: Finding[]): string[] {
  for (const finding of findings) expectComplete(finding)
  return findings.map(({ id, level }) => `${id} ${level}`)
}
