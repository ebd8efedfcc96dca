import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runWebhooks } from '../../../server/commands/webhooks.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../server/store/store.ts'
import { SECRET } from '../../support/test-server.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  const file = join(folder, 'bind.db')
  store = await openSqliteStore({ file, hashOf: (...parts) => parts.join(), hasWebhook: () => true })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const env = () => ({
  WECHAT_APP_ID: 'wx1',
  WECHAT_APP_SECRET: 's',
  WECHAT_TOKEN: 'token',
  WECHAT_ENCODING_AES_KEY: 'A'.repeat(43),
  BIND_KEYS: `k1:${SECRET}`,
  DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
})

async function run(...args: string[]): Promise<string> {
  const lines: string[] = []
  await runWebhooks(args, env(), (line) => lines.push(line))
  return lines.join('\n')
}

/** Binds and unbinds a user: two notices wait for delivery. */
async function change(userId: string): Promise<void> {
  const now = Date.now()
  await store.write(function* (tx) {
    const times = { createdAt: now, expiresAt: now + 1000 }
    const names = { appId: 'wx1', scene: `wb1_${userId}`, code: userId, wechatTicket: 't', url: 'u' }
    const identity = { tenant: 'default', account: 'acme', userId }
    const { user } = yield* tx.addTicket(identity, { ...names, ...times, label: null, lang: 'en' }, false)
    const binding = {
      appId: 'wx1',
      openid: `o-${userId}`,
      unionid: null,
      subscribed: true,
      boundAt: now,
      eventTime: 1,
      label: null,
      lang: 'en' as const,
    }
    yield* tx.apply({ type: 'bind', user, binding, reason: 'scan', at: now })
    yield* tx.apply({ type: 'unbind', user, reason: 'chat', at: now })
  })
}

describe('runWebhooks', () => {
  test('lists the waiting notices, without an openid', async () => {
    await change('u1')
    const text = await run()
    expect(text).toContain('acme  u1  bound  scan  version=1  tries=0')
    expect(text).toContain('acme  u1  unbound  chat  version=2  tries=0')
    expect(text).not.toContain('o-u1')
    expect(await run('failed')).toBe('No notices. 没有通知。')
  })

  test('replays given-up notices: one, or all', async () => {
    await change('u1')
    const [first, second] = await store.outbox.list('waiting', 2)
    await store.outbox.giveUp(first?.id ?? 0)
    await store.outbox.giveUp(second?.id ?? 0)
    expect(await run('failed')).toContain('tries=1')
    expect(await run('replay', String(first?.id))).toContain('1 notice(s) will be delivered again')
    expect((await store.outbox.list('failed', 9)).map(({ id }) => id)).toEqual([second?.id])
    expect(await run('replay')).toContain('1 notice(s) will be delivered again')
    expect(await store.outbox.list('waiting', 9)).toHaveLength(2)
  })

  test.each([[['frobnicate']], [['replay', 'all']]])('refuses %j', async (args) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})
