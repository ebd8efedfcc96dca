/** After `EraseUser` no data of the user is left in the files. An interrupted erasure has no partial effect, and can be repeated. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, test } from 'vitest'
import { eraseUser } from '../../../server/binding/erase.ts'
import { openStore } from '../../../server/store/open-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { newMigratedDatabase } from '../../support/databases.ts'
import { query } from '../../support/postgres.ts'
import { newBinding, newTicket } from '../../support/rows.ts'
import { openTestServer } from '../../support/test-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-erasure-'))
afterAll(() => rmSync(folder, { recursive: true }))

const LABEL = 'Zoe Erased, z***@example.com'
const USER = 'user-of-an-erasure'

describe('an erased user', () => {
  /** Returns those of the texts that the files or the tables still contain. */
  const searches = {
    sqlite: (url: string) => async (texts: string[]) => {
      const file = url.replace('sqlite:', '')
      const bytes = ['', '-wal'].map((suffix) =>
        existsSync(file + suffix) ? readFileSync(file + suffix) : Buffer.of(),
      )
      return texts.filter((text) => bytes.some((each) => each.includes(text)))
    },
    postgres: (url: string) => async (texts: string[]) => {
      const tables = await query<{ name: string }>(
        url,
        "select table_name as name from information_schema.tables where table_schema = 'public'",
      )
      const rows = await Promise.all(tables.map(({ name }) => query(url, `select * from ${name}`)))
      expect(rows.flat().length).toBeGreaterThan(10)
      const all = JSON.stringify(rows)
      return texts.filter((text) => all.includes(JSON.stringify(text).slice(1, -1)))
    },
  }

  test.each(['sqlite', 'postgres'] as const)(
    'is gone from every file or table of %s while the server runs',
    async (engine) => {
      const url = engine === 'sqlite' ? `sqlite:${join(folder, 'bytes.db')}` : await newMigratedDatabase()
      const left = searches[engine](url)
      const received: string[] = []
      const testServer = await openTestServer(
        {
          DATABASE_URL: url,
          CONFIRM: 'reply',
          WEBHOOK_URL: 'http://receiver.test/',
          WEBHOOK_SECRET: `whsec_${btoa('x'.repeat(32))}`,
        },
        {
          account: { hasUnionid: true },
          neighbour: async (_, init) => {
            received.push(String(init?.body))
            return new Response(null, { status: 204 })
          },
        },
      )
      const subject = { account: 'acme', userId: USER }
      for (let i = 0; i < 40; i++) await testServer.client.getQrCode({ account: 'acme', userId: `other-${i}` })
      const { Url } = await testServer.client.getQrCode({ ...subject, label: LABEL })
      const amy = testServer.phone('amy')
      await amy.scan(Url)
      await amy.follow()
      await amy.sendText('确认绑定')
      await testServer.deps.unionids.idle()
      await testServer.client.getQrCode({ ...subject, label: LABEL })
      const { openid, unionid } = amy
      const texts = [USER, LABEL, openid, unionid]
      expect(await testServer.bindInfo(USER)).toMatchObject({ IsBound: true, OpenId: openid, UnionId: unionid })
      expect(await left(texts)).toEqual(texts)

      await testServer.client.eraseUser(subject)
      const isTold = () => received.some((body) => body.includes('"erased"'))
      await expect
        .poll(() => {
          testServer.time.advance(1_000)
          return isTold()
        })
        .toBe(true)
      await expect
        .poll(async () => {
          await testServer.deps.store.purgeErased(testServer.time.clock())
          testServer.time.advance(30_000)
          return left(texts)
        })
        .toEqual([])
      // The other users are still there.
      expect(await left(['other-7'])).toEqual(['other-7'])
      await testServer.close()
    },
  )
})

describe('an erasure that SIGKILL interrupts', () => {
  const USERS = 60
  const identityOf = (i: number) => ({ tenant: 'default', account: 'acme', userId: `erased-${i}` })
  const settings = {
    hashOf: (...parts: string[]) => `${parts.join().length}-${Buffer.from(parts.join()).toString('hex')}`,
    hasWebhook: () => false,
  }

  async function fill(store: Store): Promise<void> {
    await Promise.all(
      Array.from({ length: USERS }, (_, i) =>
        store.write(function* (tx) {
          const { user } = yield* tx.addTicket(identityOf(i), newTicket(`t${i}`, { label: LABEL }), false)
          yield* tx.apply({ type: 'bind', user, binding: newBinding(`oErased${i}`), reason: 'scan', at: 1 })
        }),
      ),
    )
  }

  const eraser = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../../server/store/open-store.ts'))}
    import { eraseUser } from ${JSON.stringify(join(import.meta.dirname, '../../../server/binding/erase.ts'))}
    const hashOf = (...parts) => parts.join().length + '-' + Buffer.from(parts.join()).toString('hex')
    const store = await openStore(process.argv[1], { hashOf, hasWebhook: () => false })
    for (let i = 0; i < ${USERS}; i++) {
      await eraseUser({ store, clock: () => 2, afterCommit() {} }, { tenant: 'default', account: 'acme', userId: 'erased-' + i })
      console.log(i)
      if (i % 10 === 9) await store.purgeErased(2)
    }`

  /** Kills the process after this many users were reported as erased. Returns their number. */
  async function eraseUntilKilled(url: string, count: number): Promise<number> {
    const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', eraser, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let erased = 0
    for await (const line of createInterface(child.stdout!)) {
      erased = Number(line) + 1
      if (erased === count) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return erased
  }

  test.each(['sqlite', 'postgres'] as const)(
    'is complete or without effect for each user on %s, and can be repeated',
    async (engine) => {
      const url = engine === 'sqlite' ? `sqlite:${join(folder, 'killed.db')}` : await newMigratedDatabase()
      const before = await openStore(url, settings)
      await fill(before)
      await before.close()
      const counts = [await eraseUntilKilled(url, 7), await eraseUntilKilled(url, 25), await eraseUntilKilled(url, 45)]
      const store = await openStore(url, settings)
      for (let i = 0; i < USERS; i++) {
        const record = await store.userRecord(identityOf(i))
        const isWhole = record?.user.binding != null
        if (i < Math.max(...counts)) expect(isWhole, `user ${i} was reported as erased`).toBe(false)
        // A user has either the binding with its history and ticket, or only the event of the erasure, or nothing.
        if (isWhole) expect(record).toMatchObject({ history: [{ type: 'bound' }], tickets: [{ label: LABEL }] })
        else if (record)
          expect(record).toMatchObject({ history: [{ type: 'unbound' }], tickets: [], user: { version: 2 } })
      }
      for (let i = 0; i < USERS; i++) {
        await eraseUser({ store, clock: () => 2, afterCommit() {} }, identityOf(i))
      }
      await store.purgeErased(2)
      const users = await store.users(Array.from({ length: USERS }, (_, i) => identityOf(i)))
      expect(users.every(({ id, version }) => id === 0 && version === 2)).toBe(true)
      await store.close()
      if (engine === 'sqlite') {
        const bytes = readFileSync(url.replace('sqlite:', ''))
        const left = Array.from({ length: USERS }, (_, i) => i).filter((i) => bytes.includes(`oErased${i}`))
        expect([left, bytes.includes(LABEL), bytes.includes('acme')]).toEqual([[], false, false])
      }
    },
  )
})
