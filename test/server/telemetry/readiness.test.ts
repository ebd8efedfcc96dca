import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { BindError } from '../../../server/errors.ts'
import { createReadiness } from '../../../server/telemetry/readiness.ts'
import { titleWith } from '../../support/missing-tool.ts'
import { openTestServer } from '../../support/test-server.ts'

/** Counts the checks. A check ends when the test calls `end`. */
function open() {
  let now = 1_000_000
  const calls = { store: 0, wechat: 0 }
  let pending: (() => void)[] = []
  let fault: object | undefined
  const check = (name: keyof typeof calls) => () => {
    calls[name]++
    return new Promise<void>((resolve, reject) => pending.push(() => (fault ? reject(fault) : resolve())))
  }
  const readiness = createReadiness({
    store: { ping: check('store'), write: async () => undefined as never },
    wechat: { checkAccess: check('wechat') },
    clock: () => now,
    warn: () => true,
  })
  return {
    readiness,
    calls,
    advance: (ms: number) => {
      now += ms
    },
    fail: (code: object | undefined) => {
      fault = code
    },
    /** Ends the checks under way. */
    async end() {
      for (const finish of pending) finish()
      pending = []
      await new Promise(setImmediate)
    },
  }
}

describe('createReadiness', () => {
  test('makes one check for all probes that ask while it runs', async () => {
    const { readiness, calls, end } = open()
    const probes = Array.from({ length: 1_000 }, () => readiness())
    await end()
    expect(new Set(await Promise.all(probes.map(async (probe) => JSON.stringify(await probe))))).toEqual(
      new Set(['{"store":"ok","wechat":"ok"}']),
    )
    expect(calls).toEqual({ store: 1, wechat: 1 })
  })

  test('reuses a result for a second after the end of the check', async () => {
    const { readiness, calls, end, advance, fail } = open()
    void readiness()
    advance(10_000)
    await end()
    fail({ code: 'STORE_UNAVAILABLE' })
    advance(999)
    expect(await readiness()).toEqual({ store: 'ok', wechat: 'ok' })
    expect(calls.store).toBe(1)
    advance(1)
    const next = readiness()
    await end()
    expect(await next).toEqual({ store: 'STORE_UNAVAILABLE', wechat: 'STORE_UNAVAILABLE' })
    expect(calls.store).toBe(2)
  })

  test.each([-3_600_000, 3_600_000])('checks again after a correction of the clock by %i ms', async (ms) => {
    const { readiness, calls, end, advance } = open()
    void readiness()
    await end()
    advance(ms)
    void readiness()
    expect(calls.store).toBe(2)
    await end()
  })

  test('is not ready while the store answers reads but refuses writes', async () => {
    const cause = Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR' })
    const refused = new BindError('STORE_UNAVAILABLE', 'try again', { cause })
    const warnings: unknown[] = []
    const readiness = createReadiness({
      store: { ping: async () => {}, write: () => Promise.reject(refused) },
      wechat: { checkAccess: async () => {} },
      clock: () => 1_000_000,
      warn: (...warning) => warnings.push(warning) > 0,
    })
    expect(await readiness()).toEqual({ store: 'STORE_UNAVAILABLE', wechat: 'ok' })
    const shown = 'ERR_SQLITE_ERROR: database or disk is full'
    expect(warnings).toEqual([['store', { code: 'STORE_UNAVAILABLE', cause: shown }]])
  })

  test('reports an error without a code as "failed"', async () => {
    const { readiness, end, fail } = open()
    fail(new Error('no code'))
    const probe = readiness()
    await end()
    expect(await probe).toEqual({ store: 'failed', wechat: 'failed' })
  })
})

describe('GET /readyz', () => {
  // Writes beyond the limit fail as on a full disk. Node ignores the signal that the system sends too.
  const hasLimit = process.platform === 'linux'
  test.skipIf(!hasLimit)(
    titleWith('Linux', hasLimit, 'answers 503 while the disk is full, although reads work'),
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
      const program = join(import.meta.dirname, '../../support/full-disk.ts')
      const { stdout } = await promisify(execFile)('bash', [
        '-c',
        'ulimit -f 300; exec "$@"',
        '-',
        process.execPath,
        program,
        folder,
      ])
      rmSync(folder, { recursive: true })
      expect(JSON.parse(stdout)).toEqual({
        before: { store: 'ok', wechat: 'ok' },
        reads: true,
        after: { store: 'STORE_UNAVAILABLE', wechat: 'ok' },
      })
    },
  )

  test('calls WeChat at most once a second while there is no token, regardless of the number of probes', async () => {
    const testServer = await openTestServer()
    testServer.simulator.faults.fail('/cgi-bin/stable_token', 40164, 1_000)
    const count = () =>
      testServer.deps.metrics
        .render()
        .then((text) => Number(/wechat_answers_total\{call="token",errcode="40164"\} (\d+)/.exec(text)?.[1] ?? 0))
    const probe = async () => (await testServer.app.request('/readyz')).status
    expect(await Promise.all(Array.from({ length: 100 }, probe))).toEqual(Array(100).fill(503))
    for (let i = 0; i < 100; i++) await probe()
    expect(await count()).toBe(1)
    testServer.time.advance(1_000)
    for (let i = 0; i < 100; i++) await probe()
    expect(await count()).toBe(2)
    await testServer.close()
  })
})
