/** Runs the command as a process: killed, on a full disk, with a pipe that closes, and beside a running server. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAccount } from '../../../demo/simulator/account.ts'
import { DEFAULT_BUDGET } from '../../../server/store/batch-size.ts'
import { openStore } from '../../../server/store/open-store.ts'
import { compileCache } from '../../support/compile-cache.ts'
import { startInstance } from '../../support/instance.ts'

const cli = join(import.meta.dirname, '../../../server/cli.ts')
const account = createAccount({}, randomBytes)

let folder: string
let env: Record<string, string>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  env = {
    ...compileCache,
    WECHAT_APP_ID: account.appId,
    WECHAT_APP_SECRET: account.appSecret,
    DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

type Ended = { code: number; stdout: string; stderr: string }

const run = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [cli, 'bindings', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })

// The size of each batch is a multiple of the smallest.
const SMALLEST_BATCH = DEFAULT_BUDGET.sizes[0]!

function writeUsers(count: number): string {
  const file = join(folder, `${count}.csv`)
  const lines = Array.from({ length: count }, (_, i) => `u${i},oAbCdEf${String(i).padStart(20, '0')}\n`)
  writeFileSync(file, `user_id,openid\n${lines.join('')}`)
  return file
}

async function countBindings(): Promise<number> {
  const store = await openStore(env.DATABASE_URL!, {
    hashOf: (...parts) => parts.join(),
    hasWebhook: () => false,
    isCommand: true,
  })
  let count = 0
  let after: { tenant: string; boundAt: number; user: number } | undefined
  for (;;) {
    const page = await store.listBindings({}, after, 1000)
    count += page.length
    const last = page.at(-1)
    if (!last) break
    after = { tenant: last.identity.tenant, boundAt: last.binding.boundAt, user: last.id }
  }
  await store.close()
  return count
}

async function untilAny(child: ChildProcess): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<'ended'>()
  child.once('exit', () => resolve('ended'))
  while ((await countBindings()) === 0) {
    const outcome = await Promise.race([ended, new Promise((next) => setImmediate(next))])
    if (outcome === 'ended') throw new Error('the import ended before it could be killed')
  }
}

test('a killed import leaves only complete batches, and the next run completes the import', async () => {
  const file = writeUsers(6_000)
  // A file with only a header line. Its import creates the store.
  await run('import', writeUsers(0), '--account', 'acme')
  const child = spawn(process.execPath, [cli, 'bindings', 'import', file, '--account', 'acme'], {
    env,
    stdio: 'ignore',
  })
  await untilAny(child)
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const done = await countBindings()
  expect(done % SMALLEST_BATCH).toBe(0)
  expect(done).toBeLessThan(6_000)
  const { code, stdout } = await run('import', file, '--account', 'acme')
  expect(code).toBe(0)
  expect(stdout).toContain(`${6_000 - done} bound (0 replaced), ${done} already bound`)
  expect(await countBindings()).toBe(6_000)
})

test('an import on a full disk names the missing lines, and the next run completes the import', async () => {
  const file = writeUsers(6_000)
  // `ulimit -f` counts blocks of 1 KiB: the store gets at most 2 MiB.
  const limited = `ulimit -f 2048; exec "${process.execPath}" "${cli}" bindings import "${file}" --account acme`
  const { code, stderr } = await new Promise<Ended>((resolve) => {
    execFile('bash', ['-c', limited], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/The store did not accept lines \d+ to \d+ \(.+\)\. The lines before them are imported\./)
  const done = await countBindings()
  expect(done % SMALLEST_BATCH).toBe(0)
  expect(done).toBeLessThan(6_000)
  expect(await run('import', file, '--account', 'acme')).toMatchObject({ code: 0 })
  expect(await countBindings()).toBe(6_000)
})

test('a list ends without an error when its pipe is closed', async () => {
  await run('import', writeUsers(3_000), '--account', 'acme')
  const child = spawn(process.execPath, [cli, 'bindings', 'list', '--json'], { env })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  expect([code, stderr]).toEqual([0, ''])
})

test('a page shows within seconds that a command has unbound its user, on SQLite', async () => {
  await run('import', writeUsers(1), '--account', 'acme')
  await using instance = await startInstance(account, { DATABASE_URL: env.DATABASE_URL! })
  const token = await instance.client.mintToken({ account: 'acme', userId: 'u0' })
  const poll = (headers: Record<string, string>) =>
    fetch(`${instance.url}/widget/binding`, { headers: { Authorization: `Bearer ${token}`, ...headers } })
  const first = await poll({})
  expect(await first.json()).toMatchObject({ state: 'bound' })
  const waiting = poll({ 'If-None-Match': first.headers.get('ETag') ?? '', Prefer: 'wait=25' })
  expect((await run('unbind', 'acme', 'u0', '--yes')).code).toBe(0)
  const second = await waiting
  expect([second.status, await second.json()]).toMatchObject([200, { state: 'unbound', reason: 'operator' }])
})
