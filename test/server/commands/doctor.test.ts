/** The command as a process, with real sockets and exit codes. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Finding } from '../../../server/doctor/finding.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { compileCache } from '../../support/compile-cache.ts'
import { openTestServer, SECRET, type TestServer } from '../../support/test-server.ts'
import { idsOf } from '../doctor/doctor-fixture.ts'

const cli = join(import.meta.dirname, '../../../server/cli.ts')

type Listening = Awaited<ReturnType<typeof startListening>>

let folder: string
let testServer: TestServer
let wechat: Listening
let bind: Listening
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  testServer = await openTestServer()
  wechat = await startListening(testServer.simulator.app, '127.0.0.1', 0)
  bind = await startListening(testServer.app, '127.0.0.1', 0)
})
afterEach(async () => {
  await Promise.all([stopListening(wechat.server), stopListening(bind.server)])
  await testServer.close()
  rmSync(folder, { recursive: true })
})

/** Runs `wechat-bind doctor` with this environment and no other variables. */
function doctor(...args: string[]) {
  const { account } = testServer.simulator
  const env = {
    ...compileCache,
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    WECHAT_TOKEN: account.token,
    WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
    WECHAT_API_BASE: wechat.url,
    PUBLIC_URL: bind.url,
    BIND_KEYS: `k1:${SECRET}`,
    DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
  }
  return new Promise<{ code: number; stdout: string }>((resolve) => {
    execFile(process.execPath, [cli, 'doctor', ...args], { env }, (error, stdout) =>
      resolve({ code: error ? Number(error.code) : 0, stdout }),
    )
  })
}

describe('doctor', () => {
  test('exits with 0 when no finding is wrong, and prints both languages', async () => {
    const { code, stdout } = await doctor()
    expect(stdout).toContain('  ok     WeChat returned an access token.\n         已从微信取得 access_token。\n')
    expect(stdout).toContain(', 0 wrong.\n')
    expect(code).toBe(0)
  })

  test('exits with 1 when a finding is wrong, and prints the fix', async () => {
    testServer.simulator.faults.fail('/cgi-bin/qrcode/create', 48001)
    const { code, stdout } = await doctor()
    expect(code).toBe(1)
    expect(stdout).toMatch(/ {2}wrong {2}The account has no permission for this API \(errcode 48001, rid [\w-]+\)\.\n/)
    expect(stdout).toContain('         修复  带参数二维码仅限认证服务号')
  })

  test('prints only JSON with --json', async () => {
    testServer.simulator.faults.fail('/cgi-bin/stable_token', 40164)
    const { code, stdout } = await doctor('--json')
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] }
    expect({ code, ok }).toEqual({ code: 1, ok: false })
    expect(idsOf(findings)).toContain('token.ip wrong')
    expect(idsOf(findings)).toContain('callback.ok ok')
  })
})
