/** A callback answered with success is durable: killed at any moment, the binding is there after the restart. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createAccount } from '../../demo/simulator/account.ts'
import { sealMessage } from '../../demo/simulator/message.ts'
import { openSqliteStore } from '../../server/store/sqlite.ts'
import type { NewTicket } from '../../server/store/store.ts'
import { startInstance } from '../support/instance.ts'

const ROUNDS = 20
const USERS_A_ROUND = 40

const account = createAccount({}, randomBytes)
const sceneOf = (user: number) => `wb1_${String(user).padStart(22, '0')}`

/** A ticket each, put into the store before the server starts, so that no WeChat is asked for them. */
async function addTickets(file: string, users: number): Promise<void> {
  const store = await openSqliteStore({ file, hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  const now = Date.now()
  await store.write(async (tx) => {
    for (let user = 0; user < users; user++) {
      const ticket: NewTicket = {
        appId: account.appId,
        scene: sceneOf(user),
        code: `C${user}`,
        wechatTicket: 't',
        url: 'u',
        label: null,
        lang: 'en',
        createdAt: now,
        expiresAt: now + 3_600_000,
      }
      await tx.addTicket({ tenant: 'default', account: 'acme', userId: `u${user}` }, ticket, false)
    }
  })
  await store.close()
}

const serve = (file: string) => startInstance(account, { DATABASE_URL: `sqlite:${file}` })

/** Whether the scan of this user was answered with success before the server died. */
async function scan(url: string, user: number): Promise<boolean> {
  const now = Date.now()
  const fields = {
    ToUserName: account.originalId,
    FromUserName: `oUser${user}`,
    CreateTime: Math.floor(now / 1000),
    MsgType: 'event',
    Event: 'SCAN',
    EventKey: sceneOf(user),
  }
  const { query, body } = sealMessage(account, fields, now, randomBytes)
  try {
    const response = await fetch(`${url}/wechat/callback?${new URLSearchParams(query)}`, { method: 'POST', body })
    return response.status === 200 && (await response.text()).includes('<Encrypt>')
  } catch {
    return false
  }
}

describe('a server that is killed', () => {
  test(`keeps every callback it answered, in ${ROUNDS} rounds`, { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
    const file = join(folder, 'bind.db')
    await addTickets(file, ROUNDS * USERS_A_ROUND)
    const answered: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { child, url } = await serve(file)
      const killAfter = Math.floor(Math.random() * USERS_A_ROUND)
      let done = 0
      const users = Array.from({ length: USERS_A_ROUND }, (_, i) => round * USERS_A_ROUND + i)
      const exited = once(child, 'exit')
      await Promise.all(
        users.map(async (user) => {
          if (await scan(url, user)) answered.push(user)
          if (++done > killAfter) child.kill('SIGKILL')
        }),
      )
      await exited
    }
    const { child, client } = await serve(file)
    const lost: number[] = []
    for (const user of answered) {
      const { OpenId } = await client.getBindInfo({ account: 'acme', userId: `u${user}` })
      if (OpenId !== `oUser${user}`) lost.push(user)
    }
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
    expect(answered.length).toBeGreaterThan(ROUNDS)
    expect(lost).toEqual([])
  })
})
