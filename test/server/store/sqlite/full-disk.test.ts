/** The disk fills up under the server, and is emptied again; and a store that may only be read. Each in a small file system of its own. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccount } from '../../../../demo/simulator/account.ts'
import { deliverScan, type Instance, serveBehind, startInstance } from '../../../support/instance.ts'
import { titleWith } from '../../../support/missing-tool.ts'
import { seedTickets } from '../../../support/rows.ts'
import { SECRET } from '../../../support/test-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-disk-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A mount that only the command behind it sees, and that ends with it. Without namespaces of one's own there is none. */
const behind = (...mounting: string[]) => ['unshare', '-rm', 'sh', '-c', `${mounting.join(' && ')} && exec "$@"`, 'sh']
const disk = mkdtempSync(join(folder, 'disk-'))
const mount = `mount -t tmpfs -o size=1m tmpfs '${disk}'`
// With its source named: without it, mount repeats the mount's own options, and its uid means nothing in the namespace.
const readOnly = `mount -t tmpfs -o remount,ro,size=1m tmpfs '${disk}'`
const [probe, ...args] = [...behind(mount), 'true']
const canMount = spawnSync(probe!, args).status === 0
const NEEDS = 'user namespaces with mounts of their own (unshare -rm)'

const account = createAccount({}, randomBytes)
const seed = join(folder, 'seed.db')
const file = join(disk, 'bind.db')
const env = { DATABASE_URL: `sqlite:${file}` }
const copySeed = `cp '${seed}' '${file}'`

/** Fills what the instance sees there to the last byte; returns what makes room again. */
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

// A container that may not make namespaces has no small disk to offer.
describe.skipIf(!canMount)(titleWith(NEEDS, canMount, 'a disk without room'), { timeout: 30_000 }, () => {
  test('is told to WeChat with 500 and to the operator in words, and binds again once there is room', async () => {
    await using instance = await startInstance(account, env, behind(mount, copySeed))
    const scan = async (user: number) =>
      (await deliverScan(account, instance, { openid: `o${user}`, scene: `wb1_u${user}` })).status
    expect(await scan(0)).toBe(200)

    const makeRoom = fillDisk(instance)
    // The free pages that the store has are still good.
    let [user, status] = [0, 200]
    while (status === 200) status = await scan(++user)
    expect(status).toBe(500)
    await instance.untilLogged(/STORE_UNAVAILABLE.*database or disk is full/)
    const isBound = async (of: number) =>
      (await instance.client.getBindInfo({ account: 'acme', userId: `u${of}` })).IsBound
    await expect(isBound(0)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })

    makeRoom()
    expect(await scan(user)).toBe(200)
    expect([await isBound(0), await isBound(user), await isBound(user + 1)]).toEqual([true, true, false])
  })

  test('that may only be read ends the start, with the setting and the fix', async () => {
    const isReadOnly = behind(mount, copySeed, readOnly)
    const child = spawn(...serveBehind(isReadOnly), {
      env: {
        WECHAT_APP_ID: account.appId,
        WECHAT_APP_SECRET: account.appSecret,
        WECHAT_TOKEN: account.token,
        WECHAT_ENCODING_AES_KEY: account.encodingAesKey,
        BIND_KEYS: `k1:${SECRET}`,
        ...env,
        PATH: process.env.PATH,
      },
    })
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(said).toMatch(/^DATABASE_URL: the store cannot be opened \(.+\): check /)
    expect(said).toMatch(/存储/)
  })
})
