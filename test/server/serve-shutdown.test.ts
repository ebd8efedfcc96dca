/** SIGTERM under load: accepted requests and waiting pages are answered, and the process exits in time. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccount } from '../../demo/simulator/account.ts'
import { openReply } from '../../demo/simulator/reply.ts'
import { openStore } from '../../server/store/open-store.ts'
import { deliverScan, type Instance, sealScan, startInstance, untilWaiting } from '../support/instance.ts'
import { seedTickets } from '../support/rows.ts'

const USERS = 3_000
const CONNECTIONS = 16
const WAITERS = 200

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-stop-'))
const account = createAccount({}, randomBytes)
const DATABASE_URL = `sqlite:${join(folder, 'bind.db')}`

beforeAll(() => seedTickets(DATABASE_URL, account.appId, USERS + WAITERS + 1))
afterAll(() => rmSync(folder, { recursive: true }))

type Outcome = { user: number; status: number; sentAt: number; replied: string }

/** Sends one scan over a connection of the agent; status 0 if no answer came. */
function scan({ url }: Instance, agent: Agent, user: number): Promise<Outcome> {
  const { query, body } = sealScan(account, { openid: `o${user}`, scene: `wb1_u${user}` })
  const sentAt = performance.now()
  return new Promise((resolve) => {
    const path = `${url}/wechat/callback?${query}`
    const sending = request(path, { method: 'POST', agent }, async (response) => {
      const text = (await response.toArray().catch(() => [])).join('')
      const reply = openReply(account, `o${user}`, { status: response.statusCode ?? 0, body: text })
      resolve({
        user,
        sentAt,
        status: response.statusCode ?? 0,
        replied: reply.kind === 'text' ? reply.content : reply.kind,
      })
    })
    sending.on('error', () => resolve({ user, sentAt, status: 0, replied: 'no answer' }))
    sending.end(body)
  })
}

/** Sends a page's long-poll; resolves with its status. */
async function park({ url, client }: Instance, userId: string): Promise<number> {
  const token = await client.mintToken({ account: 'acme', userId })
  const headers = { Authorization: `Bearer ${token}`, 'If-None-Match': '"0"', Prefer: 'wait=25' }
  return (await fetch(`${url}/widget/binding`, { headers })).status
}

describe('SIGTERM under load', () => {
  test('answers every callback sent before the signal and every waiter, and exits with 0', async () => {
    await using instance = await startInstance(account, { DATABASE_URL })
    const waiting = Array.from({ length: WAITERS }, (_, i) => park(instance, `u${USERS + i}`))
    await untilWaiting(instance, WAITERS)

    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
    const outcomes: Outcome[] = []
    const isUnderLoad = Promise.withResolvers<void>()
    let next = 0
    async function worker(): Promise<void> {
      while (next < USERS) {
        const outcome = await scan(instance, agent, next++)
        outcomes.push(outcome)
        if (outcomes.length === 500) isUnderLoad.resolve()
        if (outcome.status === 0) return
      }
    }
    const traffic = Promise.all(Array.from({ length: CONNECTIONS }, worker))
    await isUnderLoad.promise
    const exited = once(instance.child, 'exit')
    const signalledAt = performance.now()
    instance.child.kill('SIGTERM')
    const [code] = await exited
    // Well below the 10 s that Docker waits before SIGKILL; Kubernetes waits 30 s.
    expect(performance.now() - signalledAt).toBeLessThan(5_000)
    await traffic
    agent.destroy()

    expect(code).toBe(0)
    expect(outcomes.length).toBeLessThan(USERS)
    // Every callback sent before the signal was answered with success.
    const sentBefore = outcomes.filter(({ sentAt }) => sentAt < signalledAt)
    expect(sentBefore.length).toBeGreaterThan(500)
    expect(sentBefore.filter(({ replied }) => replied !== 'bound')).toEqual([])
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([200, 0]))

    expect(new Set(await Promise.all(waiting))).toEqual(new Set([304]))

    const store = await openStore(DATABASE_URL, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
    const lost: number[] = []
    for (const { user } of outcomes.filter(({ status }) => status === 200)) {
      const { binding } = await store.user({ tenant: 'default', account: 'acme', userId: `u${user}` })
      if (binding?.openid !== `o${user}`) lost.push(user)
    }
    await store.close()
    expect(lost).toEqual([])
  })

  test('does not wait for the rest of an incomplete request', async () => {
    await using instance = await startInstance(account, { DATABASE_URL })
    const socket = connect(Number(new URL(instance.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<xml>')
    await once(socket, 'ready')
    await fetch(`${instance.url}/healthz`)
    // A process may receive the signal from the terminal and from its parent: the second signal has no effect.
    instance.child.kill('SIGINT')
    expect(await instance.end('SIGTERM')).toBe(0)
    socket.destroy()
  })

  test('does not wait for WeChat or another system that never answers', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const env = { DATABASE_URL, WECHAT_API_BASE: silentUrl, FORWARD_URL: silentUrl, FORWARD_ALL: 'true' }
    await using instance = await startInstance(account, env)
    const answer = await deliverScan(account, instance, { openid: 'oLast', scene: `wb1_u${USERS + WAITERS}` })
    expect(answer.status).toBe(200)
    const signalledAt = performance.now()
    expect(await instance.end('SIGTERM')).toBe(0)
    expect(performance.now() - signalledAt).toBeLessThan(5_000)
    silent.closeAllConnections()
    silent.close()
  })
})
