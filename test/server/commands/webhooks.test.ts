import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runWebhooks } from '../../../server/commands/webhooks.ts'
import type { Env } from '../../../server/config/config.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { Store } from '../../../server/store/store.ts'
import type { WebhookPayload } from '../../../server/wire.ts'

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

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** The command needs no other setting. */
const env = () => ({
  DATABASE_URL: `sqlite:${join(folder, 'bind.db')}`,
  WEBHOOK_URL: 'http://127.0.0.1:9/hook',
  WEBHOOK_SECRET,
})

async function run(...given: (string | Env)[]): Promise<string> {
  const lines: string[] = []
  const args = given.filter((each) => typeof each === 'string')
  const more = given.find((each) => typeof each === 'object')
  await runWebhooks(args, { ...env(), ...more }, (line) => lines.push(line))
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

const NOW = 1_700_000_000_000

/** Moves all events to the queues of these receivers. Returns the notices. */
async function queue(...receivers: string[]) {
  await store.outbox.dispatch(Date.now() + 60_000, () => receivers, 100)
  return store.outbox.list('waiting', 100)
}

/** A receiver on a socket that answers with this status, and the events that it got. */
async function openReceiver(status: number) {
  const got: WebhookPayload[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    got.push(new Webhook(WEBHOOK_SECRET).verify(body, request.headers as Record<string, string>) as WebhookPayload)
    response.writeHead(status).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got, close: () => server.close() }
}

describe('runWebhooks', () => {
  test('lists the waiting notices, without an openid', async () => {
    await change('u1')
    await queue('WEBHOOK_URL')
    const shown = await run()
    expect(shown).toMatch(/^WEBHOOK_URL {2}on \(启用\) {2}waiting=2 {2}failed=0\n/)
    expect(shown).toMatch(/WEBHOOK_URL {2}default {2}acme {2}u1 {2}bound {2}scan {2}version=1 {2}tries=0 {2}next=20/)
    expect(shown).toMatch(/u1 {2}unbound {2}chat {2}version=2 {2}tries=0/)
    expect(shown).not.toContain('o-u1')
    expect(await run('failed')).toBe('No notices. 没有通知。')
  })

  test('says that it shows only the first 100 notices', async () => {
    for (let i = 0; i < 50; i++) await change(`u${i}`)
    expect(await run()).not.toContain('Only the first')
    await change('u50')
    const lines = (await run()).split('\n')
    expect(lines.filter((line) => line.includes('default  acme'))).toHaveLength(100)
    expect(lines.at(-1)).toBe('Only the first 100 notices are shown. 只显示前 100 条通知。')
  })

  test('lists an event that no server has moved to a receiver yet', async () => {
    await change('u1')
    expect(await run('list')).toMatch(/ {2}- {2}default {2}acme {2}u1 {2}bound/)
  })

  test('shows why a receiver is off, and until when it is paused', async () => {
    const failed = { now: NOW, failure: { status: 429, error: null }, isGone: false, pausedUntil: NOW + 5_000 }
    await store.outbox.receiverFailed({ ...failed, name: 'WEBHOOK_URL' })
    expect(await run()).toMatch(
      /^WEBHOOK_URL {2}on .*failing-since=2023-11-14T22:13:20.000Z {2}paused-until=2023-11-14T22:13:25.000Z {2}last-failure=HTTP 429 2023/,
    )
    await store.outbox.receiverFailed({ ...failed, name: 'WEBHOOK_URL', isGone: true })
    await change('u1')
    await queue('old')
    expect(await run()).toMatch(/^WEBHOOK_URL {2}gone .*\nold {2}not configured \(未配置\) {2}waiting=2/)
  })

  test('shows when each waiting notice is tried next: after the pause, or not before an operator acts', async () => {
    await change('u1')
    await queue('WEBHOOK_URL', 'old')
    const pausedUntil = Date.now() + 86_400_000
    const failed = { now: Date.now(), failure: { status: 429, error: null }, isGone: false, pausedUntil }
    await store.outbox.receiverFailed({ ...failed, name: 'WEBHOOK_URL' })
    const nextOf = async (receiver: string) =>
      new Set([...(await run()).matchAll(new RegExp(`  ${receiver}  default.*next=(\\S+)`, 'g'))].map(([, at]) => at))
    expect(await nextOf('WEBHOOK_URL')).toEqual(new Set([new Date(pausedUntil).toISOString()]))
    expect(await nextOf('old')).toEqual(new Set(['-']))
    await store.outbox.receiverFailed({ ...failed, name: 'WEBHOOK_URL', isGone: true })
    expect(await nextOf('WEBHOOK_URL')).toEqual(new Set(['-']))
  })

  test('shows why a notice failed, and replays one notice, the notices of a receiver, or all', async () => {
    await change('u1')
    const [first, second] = await queue('WEBHOOK_URL')
    await store.outbox.giveUp(first!.id, { status: 503, error: null })
    await store.outbox.giveUp(second!.id, { status: null, error: 'TIMEOUT' })
    expect(await run('failed')).toMatch(/tries=1 .*last=HTTP 503\n.*last=TIMEOUT$/)
    expect(await run('replay', String(first!.id))).toContain('1 notice will be delivered again')
    expect((await store.outbox.list('failed', 9)).map(({ id }) => id)).toEqual([second!.id])
    expect(await run('replay', 'WEBHOOK_URL')).toContain('1 notice will be delivered again')
    expect(await run('replay')).toContain('0 notices will be delivered again')
    expect(await store.outbox.list('waiting', 9)).toHaveLength(2)
  })

  test('retries waiting notices at once', async () => {
    await change('u1')
    const [first] = await queue('WEBHOOK_URL')
    await store.outbox.retryAt(first!.id, Date.now() + 86_400_000, { status: 500, error: null })
    expect(await run('retry', 'WEBHOOK_URL')).toContain('2 notices will be tried now')
    expect((await store.outbox.list('waiting', 1))[0]!.nextAt).toBeLessThanOrEqual(Date.now())
  })

  test('says which notices still wait after a retry or a replay, and names the command that sends them', async () => {
    await change('u1')
    await queue('WEBHOOK_URL', 'old')
    const failed = { now: Date.now(), failure: { status: 429, error: null }, isGone: false }
    const paused = { ...failed, name: 'WEBHOOK_URL', pausedUntil: Date.now() + 86_400_000 }
    await store.outbox.receiverFailed(paused)
    expect(await run('replay')).toMatch(
      /\nWEBHOOK_URL is paused until \d{4}-.* "wechat-bind webhooks retry WEBHOOK_URL" ends the pause\.\n/,
    )
    expect(await run('retry')).toMatch(/^4 notice.*\n.*\nold is not configured.*\nold 未配置.*$/)
    await store.outbox.receiverFailed({ ...paused, isGone: true })
    expect(await run('retry', 'WEBHOOK_URL')).toMatch(
      /^2 notice.*\n.*\nWEBHOOK_URL is off: .*webhooks enable WEBHOOK_URL"\.\nWEBHOOK_URL 已停用.*$/,
    )
  })

  test('enables a receiver that is off, and needs no name if there is only one receiver', async () => {
    const gone = { now: NOW, failure: { status: 410, error: null }, isGone: true, pausedUntil: null }
    await store.outbox.receiverFailed({ ...gone, name: 'WEBHOOK_URL' })
    expect(await run('enable', 'WEBHOOK_URL')).toContain('WEBHOOK_URL is on.')
    expect(await run('enable')).toContain('WEBHOOK_URL was on already.')
  })

  test('sends a signed test event, and fails with the fix if the receiver does not accept the event', async () => {
    const [well, ill] = [await openReceiver(204), await openReceiver(404)]
    expect(await run('test', 'WEBHOOK_URL', { WEBHOOK_URL: well.url })).toMatch(/WEBHOOK_URL answered 204 in \d+ ms/)
    expect(well.got).toMatchObject([{ type: 'webhook.test', data: { Version: 0, Reason: 'test' } }])
    await expect(run('test', { WEBHOOK_URL: ill.url })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: /did not accept the test \(HTTP 404\): .*check the path/,
    })
    well.close()
    ill.close()
  })

  test('names the receivers when the given name is unknown', async () => {
    await expect(run('enable', 'crm')).rejects.toThrow('Name one of the receivers: WEBHOOK_URL.')
    const none = { WEBHOOK_URL: undefined, WEBHOOK_SECRET: undefined }
    await expect(run('test', none)).rejects.toThrow('No webhook receiver is configured')
  })

  test.each([[['frobnicate']], [['replay', 'all']], [['list', 'crm']], [['test', 'WEBHOOK_URL', 'now']]])(
    'refuses %j',
    async (args) => {
      await expect(run(...args)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    },
  )
})
