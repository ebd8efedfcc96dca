/** Two instances use one database. Of two conflicting requests exactly one succeeds, and both instances show the same result. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccount } from '../../../../demo/simulator/account.ts'
import { createBindClient } from '../../../../server/client.ts'
import { openPostgresStore } from '../../../../server/store/postgres/postgres-store.ts'
import type { Identity, Store } from '../../../../server/store/store.ts'
import type { WebhookPayload } from '../../../../server/wire.ts'
import { createTicketsConcurrently } from '../../../support/concurrent-tickets.ts'
import { newMigratedDatabase } from '../../../support/databases.ts'
import {
  deliverScan,
  type Instance,
  replyText,
  type Scan,
  startInstance,
  untilWaiting,
} from '../../../support/instance.ts'
import { query } from '../../../support/postgres.ts'
import { newTicket } from '../../../support/rows.ts'
import { openTestServer, SECRET, type TestServer } from '../../../support/test-server.ts'

const account = createAccount({}, randomBytes)
const ROUNDS = 3

let url: string
let receiver: Awaited<ReturnType<typeof startReceiver>>
let both: [Instance, Instance]
/** Adds tickets without a request to WeChat. */
let store: Store

beforeAll(async () => {
  url = await newMigratedDatabase()
  receiver = await startReceiver()
  const env = {
    DATABASE_URL: url,
    LOG_LEVEL: 'info',
    WEBHOOK_URL: receiver.url,
    WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
  }
  both = await Promise.all([startInstance(account, env), startInstance(account, env)])
  store = await openPostgresStore({ url, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
})

afterAll(async () => {
  await store?.close()
  await Promise.all((both ?? []).map((instance) => instance.end('SIGTERM')))
  receiver?.server.close()
})

const identityOf = (userId: string): Identity => ({ tenant: 'default', account: 'acme', userId })

async function addTicket(userId: string, name = userId): Promise<string> {
  const made = newTicket(name, { appId: account.appId })
  return (await store.write((tx) => tx.addTicket(identityOf(userId), made, false))).scene
}

/** Repeats a failed delivery up to three times, like WeChat. */
async function redeliver(instance: Instance, scan: Scan) {
  for (let triesLeft = 3; ; triesLeft--) {
    const answer = await deliverScan(account, instance, scan)
    if (answer.status === 200 || triesLeft === 1) return answer
  }
}

/**
 * Sends `count` concurrent scans to the two instances in turn. Failed scans are repeated one after the other, because a busy
 * machine cannot answer all scans within the time limit when they are sent at once.
 */
async function race(count: number, scanOf: (i: number) => Scan) {
  const instanceOf = (i: number) => both[i % 2]!
  const first = Array.from({ length: count }, (_, i) => deliverScan(account, instanceOf(i), scanOf(i)))
  const answers = await Promise.all(first)
  for (const [i, { status }] of answers.entries()) {
    if (status !== 200) answers[i] = await redeliver(instanceOf(i), scanOf(i))
  }
  return answers
}

const countOf = <T>(values: T[], value: T) => values.filter((each) => each === value).length

/** A long-poll of a page that knows `version`. */
async function poll(instance: Instance, userId: string, version: number) {
  const token = await instance.client.mintToken({ account: 'acme', userId })
  const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': `"${version}"`, Prefer: 'wait=25' }
  return fetch(`${instance.url}/widget/binding`, { headers })
}

describe('two instances', () => {
  test('show the same QR code to a user who opens a page of each instance at the same time', async () => {
    const other = await openPostgresStore({ url, hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
    for (let round = 0; round < 10; round++) {
      const identity = identityOf(`pages${round}`)
      const [one, two] = await createTicketsConcurrently([store, other], identity, false)
      expect(one).toEqual(two)
      expect((await store.liveTicket(identity, Date.now()))?.id).toBe(one?.id)
    }
    await other.close()
  })

  test('bind only one of two WeChat users when both scan the same ticket 100 times', { timeout: 180_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const userId = `ticket${round}`
      const scene = await addTicket(userId)
      const people = [`oAmy${round}`, `oBo${round}`]
      const now = Math.floor(Date.now() / 1000)
      // Each delivery is sent to both instances, like a repeated delivery of WeChat.
      const answers = await race(200, (i) => ({
        openid: people[(i >> 1) % 2]!,
        scene,
        createTime: now + (i >> 2),
      }))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      const info = await both[round % 2]!.client.getBindInfo({ account: 'acme', userId })
      expect(info).toMatchObject({ IsBound: true, Version: 1 })
      const replies = people.map((openid) => answers.filter((_, i) => people[(i >> 1) % 2] === openid).map(replyText))
      const [bound, refused] = info.OpenId === people[0] ? replies : replies.reverse()
      // Only two requests get this reply: the delivery that made the binding, and its repetition.
      expect(countOf(bound!, 'bound')).toBe(2)
      expect(refused).not.toContain('bound')
      expect(await query(url, eventsOf, [userId])).toEqual([{ type: 'bound', version: '1' }])
    }
  })

  test('bind one WeChat account to only one of two users when CONFLICT is reject', { timeout: 180_000 }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const users = [`left${round}`, `right${round}`]
      const scenes = [await addTicket(users[0]!), await addTicket(users[1]!)]
      const openid = `oCy${round}`
      const now = Math.floor(Date.now() / 1000)
      const answers = await race(200, (i) => ({ openid, scene: scenes[(i >> 1) % 2]!, createTime: now + (i >> 2) }))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      const infos = await Promise.all(
        users.map((userId, i) => both[i]!.client.getBindInfo({ account: 'acme', userId })),
      )
      expect(infos.map(({ IsBound }) => IsBound).sort()).toEqual([false, true])
      expect(countOf(answers.map(replyText), 'bound')).toBe(2)
      expect(await query(url, 'select count(*)::int as n from bindings where openid = $1', [openid])).toEqual([
        { n: 1 },
      ])
    }
  })

  test('accept a jti once', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(await sameEnvelope(40))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(39).fill(409)])
    }
  })

  test('wake a page that waits at one instance when the scan arrives at the other', async () => {
    const scene = await addTicket('waiting')
    const waiting = poll(both[0], 'waiting', 0)
    await untilWaiting(both[0], 1)
    await deliverScan(account, both[1], { openid: 'oDee', scene })
    const response = await waiting
    expect([response.status, response.headers.get('ETag')]).toEqual([200, '"1"'])
    expect(await response.json()).toMatchObject({ state: 'bound', version: 1 })
  })

  test('send the events of a user to the webhook once each, in order and one at a time, and continue when one instance stops', async () => {
    const users = Array.from({ length: 40 }, (_, i) => `webhook${i}`)
    for (const userId of users) await addTicket(userId)
    const scan = (i: number) => ({ openid: `oWebhook${i}`, scene: `wb1_${users[i % users.length]}` })
    await race(users.length, scan)
    for (const [i, userId] of users.entries()) await both[i % 2]!.client.disconnect({ account: 'acme', userId })
    await receiver.untilVersion(2)
    for (const userId of users) expect(receiver.versionsOf(userId)).toEqual([1, 2])
    expect(receiver.hadOverlap()).toBe(false)
    // The other instance takes over the sending. An event whose request was interrupted may be sent again.
    expect(await both[0].end('SIGTERM')).toBe(0)
    for (const userId of users) await addTicket(userId, `${userId}again`)
    await Promise.all(
      users.map((userId, i) => deliverScan(account, both[1], { openid: `oWebhook${i}`, scene: `wb1_${userId}again` })),
    )
    await receiver.untilVersion(3)
    for (const userId of users) expect([...new Set(receiver.versionsOf(userId))]).toEqual([1, 2, 3])
  })
})

const eventsOf = `select type, events.version from events join users on users.id = events.user where user_id = $1`

/** One encrypted request, sent `count` times to the two instances in turn. */
async function sameEnvelope(count: number) {
  const sent: Promise<Response>[] = []
  const fetchBoth = async (_: unknown, init: RequestInit) => {
    for (let i = 0; i < count; i++) sent.push(fetch(`${both[i % 2]!.url}/api/WeChat/GetBindInfo`, init))
    throw new Error('the client gets no answer: only its encrypted request is needed')
  }
  const client = createBindClient({ server: 'http://x', keyId: 'k1', key: SECRET, fetch: fetchBoth as typeof fetch })
  await client.getBindInfo({ account: 'acme', userId: 'any' }).catch(() => {})
  return sent.slice(0, count)
}

/** A webhook receiver that records the payloads, and whether two requests about one user overlapped. */
async function startReceiver() {
  const received: WebhookPayload[] = []
  const busy = new Set<string>()
  let isOverlapping = false
  let onRequest = () => {}
  const server: Server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const payload = JSON.parse(body) as WebhookPayload
    const user = payload.data.User_ID
    isOverlapping ||= busy.has(user)
    busy.add(user)
    received.push(payload)
    // Answers after some turns of the event loop, in which the request of a second sender would arrive.
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
    busy.delete(user)
    response.writeHead(204).end()
    onRequest()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    versionsOf: (user: string) => received.filter(({ data }) => data.User_ID === user).map(({ data }) => data.Version),
    hadOverlap: () => isOverlapping,
    /** Resolves once this version of each of the 40 users was received. */
    untilVersion: (version: number) =>
      new Promise<void>((resolve) => {
        onRequest = () => {
          const ofAll = received.filter(({ data }) => data.User_ID.startsWith('webhook') && data.Version === version)
          if (new Set(ofAll.map(({ data }) => data.User_ID)).size === 40) resolve()
        }
        onRequest()
      }),
  }
}

describe('a web authorization', () => {
  test('can be started, returned and confirmed at different instances, and binds once', async () => {
    const env = { DATABASE_URL: await newMigratedDatabase(), WECHAT_OAUTH: 'on', PUBLIC_URL: 'http://bind.test' }
    const simulated = { ...account, webDomains: ['bind.test'] }
    const one = await openTestServer(env, { account: simulated })
    const other = await openTestServer(
      { ...env, WECHAT_API_BASE: 'http://other.test' },
      // Both instances call the same simulated WeChat.
      {
        account: simulated,
        neighbour: async (to, init) => one.simulator.app.request(to.slice('http://other.test'.length), init),
      },
    )
    const start = await one.widget('POST', '/oauth', { body: { return: 'http://bind.test/page' } })
    const result = one.simulator.authorize('amy', (await start.json()).url)
    const location = 'location' in result ? result.location : ''
    const pages = await Promise.all(
      [other, one].map(async ({ app }) => (await app.request(location)).headers.get('Location')),
    )
    const [proof = ''] = pages.flatMap((page) => /#wechat-bind=(.*)/.exec(page ?? '')?.[1] ?? [])
    expect(pages).toContain('http://bind.test/page#wechat-bind-error=PROOF_EXPIRED')

    const confirm = (server: TestServer) => server.widget('POST', '/oauth/confirm', { body: { proof } })
    const answers = await Promise.all([one, other, one, other].map(confirm))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410, 410, 410])
    expect(await other.bindInfo()).toMatchObject({ IsBound: true, OpenId: one.phone('amy').openid })
    await Promise.all([one.close(), other.close()])
  })
})
