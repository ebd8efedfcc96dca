/**
 * The budget for bodies in memory, in both adapters. When the budget is used up, large bodies are refused and small bodies are
 * accepted.
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../../../server/app.ts'
import { type BodyBudget, createBodyBudget } from '../../../server/http/body-limit.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { interceptEndpoints } from '../../../server/http/node-listener.ts'
import { callbackEndpoints } from '../../../server/routes/wechat-callback.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const KIB = 1024

describe('createBodyBudget', () => {
  test('refuses bytes over the budget with the time to the next try, and grants them after a release', () => {
    const budget = createBodyBudget(100 * KIB)
    const [first, second] = [budget.open(), budget.open()]
    first.add(60 * KIB)
    expect(() => second.add(60 * KIB)).toThrow(
      expect.objectContaining({ code: 'OVERLOADED', retryAfterSeconds: 5, status: 503 }),
    )
    second.add(40 * KIB)
    first.release()
    budget.open().add(60 * KIB)
  })

  test('does not count refused bytes, and releases a share only once', () => {
    const budget = createBodyBudget(100 * KIB)
    const share = budget.open()
    share.add(60 * KIB)
    expect(() => share.add(60 * KIB)).toThrow()
    share.release()
    share.release()
    budget.open().add(100 * KIB)
    expect(() => budget.open().add(5 * KIB)).toThrow()
  })

  test('grants 4 KiB to a request at any time', () => {
    const budget = createBodyBudget(100 * KIB)
    budget.open().add(100 * KIB)
    const event = budget.open()
    event.add(2 * KIB)
    event.add(2 * KIB)
    expect(() => event.add(1)).toThrow()
  })
})

describe.each(['the Hono app', 'Node’s server'])('large bodies that arrive slowly at %s', (adapter) => {
  let testServer: TestServer
  let server: Server
  let url: string
  /** The bytes in memory, as the budget counts them. */
  let held: number
  const sockets: Socket[] = []

  /** 100 KiB for all bodies. */
  const countedBudget = (): BodyBudget => {
    const budget = createBodyBudget(100 * KIB)
    return {
      open() {
        const { add, release } = budget.open()
        let own = 0
        return {
          add(bytes) {
            add(bytes)
            own += bytes
            held += bytes
          },
          release() {
            release()
            held -= own
          },
        }
      },
    }
  }

  beforeEach(async () => {
    testServer = await openTestServer()
    held = 0
    const endpoints = callbackEndpoints(testServer.deps, countedBudget())
    const app = createApp(testServer.deps, { endpoints })
    const isNode = adapter !== 'the Hono app'
    const options = isNode ? { intercept: interceptEndpoints(endpoints, testServer.deps) } : {}
    ;({ server, url } = await startListening(app, '127.0.0.1', 0, options))
  })

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await stopListening(server)
    await testServer.close()
  })

  function send(text: string): { socket: Socket; answer: Promise<string> } {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
    sockets.push(socket)
    socket.on('error', () => {})
    let said = ''
    socket.on('data', (more: string) => {
      said += more
    })
    const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(said)))
    socket.write(text)
    return { socket, answer }
  }

  const post = (kib: number, body: string) =>
    `POST /wechat/callback HTTP/1.1\r\nHost: x\r\nContent-Length: ${kib * KIB}\r\n\r\n${body}`

  const untilHeld = async (bytes: number) => {
    while (held < bytes) await new Promise(setImmediate)
  }

  test('are refused with 500 beyond the budget, and an event is answered', async () => {
    const slow = send(post(60, 'x'.repeat(59 * KIB)))
    await untilHeld(59 * KIB)
    const refused = await send(post(60, 'x'.repeat(59 * KIB))).answer
    expect(refused).toMatch(/^HTTP\/1\.1 500 /)
    expect(refused).toMatch(/\r\nConnection: close\r\n/i)
    // The refusal has the request's own log line and no second line.
    expect(testServer.log.lines.filter((line) => line.includes('OVERLOADED')).length).toBe(1)
    expect(testServer.log.lines.filter((line) => line.includes('too many large bodies'))).toEqual([])

    const event = send(post(2, 'x'.repeat(2 * KIB)))
    await once(event.socket, 'data')
    expect(held).toBeLessThanOrEqual(100 * KIB)

    slow.socket.destroy()
    while (held > 0) await new Promise(setImmediate)
    const next = send(post(60, 'x'.repeat(60 * KIB)))
    const [said] = await once(next.socket, 'data')
    expect(String(said)).toMatch(/^HTTP\/1\.1 403 /)
    next.socket.destroy()
    while (held > 0) await new Promise(setImmediate)
  })
})
