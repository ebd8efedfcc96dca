/** Tests of a full disk while the server runs, and of a read-only disk at its start. Each test mounts its own small file system. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccount } from '../../../../demo/simulator/account.ts'
import { compileCache } from '../../../support/compile-cache.ts'
import { deliverScan, type Instance, serveBehind, startInstance } from '../../../support/instance.ts'
import { titleWith } from '../../../support/missing-tool.ts'
import { seedTickets } from '../../../support/rows.ts'
import { SECRET } from '../../../support/test-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-disk-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a command in a separate mount namespace. Its mounts are visible only to the command and disappear when the command ends. */
const behind = (...mounting: string[]) => ['unshare', '-rm', 'sh', '-c', `${mounting.join(' && ')} && exec "$@"`, 'sh']
const disk = mkdtempSync(join(folder, 'disk-'))
const mount = `mount -t tmpfs -o size=1m tmpfs '${disk}'`
// The source is named because `mount` would otherwise repeat the present options, whose uid is invalid in the namespace.
const readOnly = `mount -t tmpfs -o remount,ro,size=1m tmpfs '${disk}'`
const [probe, ...args] = [...behind(mount), 'true']
const canMount = spawnSync(probe!, args).status === 0
const NEEDS = 'user namespaces with mounts of their own (unshare -rm)'

const account = createAccount({}, randomBytes)
const seed = join(folder, 'seed.db')
const file = join(disk, 'bind.db')
const env = { DATABASE_URL: `sqlite:${file}` }
const copySeed = `cp '${seed}' '${file}'`

/** Fills the disk of the instance completely. Returns a function that frees the space. */
function fillDisk({ child }: Instance): () => void {
  const ballast = join(`/proc/${child.pid}/root`, disk, 'ballast')
  for (const size of [65_536, 4_096, 1]) {
    for (;;) {
      try {
        appendFileSync(ballast, Buffer.alloc(size))
      } catch {
        break
      }
    }
  }
  return () => rmSync(ballast)
}

beforeAll(() => seedTickets(`sqlite:${seed}`, account.appId, 200))

// A container without the right to create namespaces cannot mount a small disk.
describe.skipIf(!canMount)(titleWith(NEEDS, canMount, 'a full or read-only disk'), () => {
  test('makes the server answer 500 and log the cause while it is full, and lets it bind again once there is space', async () => {
    await using instance = await startInstance(account, env, behind(mount, copySeed))
    const scan = async (user: number) =>
      (await deliverScan(account, instance, { openid: `o${user}`, scene: `wb1_u${user}` })).status
    expect(await scan(0)).toBe(200)

    const freeSpace = fillDisk(instance)
    // The first scans may still fit into free pages of the store's files.
    let [user, status] = [0, 200]
    while (status === 200) status = await scan(++user)
    expect(status).toBe(500)
    await instance.untilLogged(/STORE_UNAVAILABLE.*database or disk is full/)
    const isBound = async (of: number) =>
      (await instance.client.getBindInfo({ account: 'acme', userId: `u${of}` })).IsBound
    await expect(isBound(0)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })

    freeSpace()
    expect(await scan(user)).toBe(200)
    expect([await isBound(0), await isBound(user), await isBound(user + 1)]).toEqual([true, true, false])
  })

  test('makes the start fail with the name of the setting and the fix when it is read-only', async () => {
    const isReadOnly = behind(mount, copySeed, readOnly)
    const child = spawn(...serveBehind(isReadOnly), {
      env: {
        ...compileCache,
        WECHAT_APP_ID: account.appId,
        WECHAT_APP_SECRET: account.appSecret,
        WECHAT_TOKEN: account.token,
        WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
        BIND_KEYS: `k1:${SECRET}`,
        ...env,
        PATH: process.env.PATH,
      },
    })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^DATABASE_URL: the store cannot be opened \(.+\): check /)
    expect(stderr).toMatch(/存储/)
  })
})
