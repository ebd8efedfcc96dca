/** Fake servers send endless answers over real sockets. The tests count the bytes that each server could send. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createBindClient } from '../../../server/client.ts'
import type { Env } from '../../../server/config/config.ts'
import { requestJson } from '../../../server/doctor/http-probe.ts'
import { createOutgoingFetch } from '../../../server/http/outgoing-fetch.ts'
import { systemTimer } from '../../../server/platform.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

// The longest answer of this sender; a reader without a limit gets all of it.
const LENGTH = 96 * 1024 * 1024

// The limits of the readers are 8 MiB at most; the socket buffers of the system hold a few MiB more.
const LIMIT = 24 * 1024 * 1024

const chunk = Buffer.alloc(64 * 1024, ' ')

let sender: Server
let url: string
let status: number
/** The bytes of each answer that were sent before its connection closed. */
let answers: Promise<number>[]
let testServer: TestServer | undefined

beforeEach(async () => {
  status = 200
  answers = []
  sender = createServer((_, response) => {
    const { promise, resolve } = Promise.withResolvers<number>()
    answers.push(promise)
    let sent = 0
    const send = () => {
      while (!response.destroyed && sent < LENGTH) {
        sent += chunk.length
        if (!response.write(chunk)) return
      }
      response.end()
    }
    response.writeHead(status, { 'Content-Type': 'application/json' })
    response.on('drain', send).on('close', () => resolve(sent))
    send()
  }).listen(0, '127.0.0.1')
  await once(sender, 'listening')
  url = `http://127.0.0.1:${(sender.address() as AddressInfo).port}`
})

afterEach(async () => {
  await testServer?.close()
  testServer = undefined
  sender.closeAllConnections()
  sender.close()
})

const open = async (env: Env) => {
  testServer = await openTestServer(env, { neighbour: createOutgoingFetch() })
  return testServer
}

async function expectCut(count: number): Promise<void> {
  expect(answers.length).toBe(count)
  for (const sent of await Promise.all(answers)) expect(sent).toBeLessThan(LIMIT)
}

describe('an endless answer is cut off', () => {
  const subject = { account: 'acme', userId: 'u1' }

  test.each([
    ['ACCESS_TOKEN_URL', 200],
    ['ACCESS_TOKEN_URL', 500],
    ['WECHAT_API_BASE', 200],
    ['WECHAT_API_BASE', 500],
  ])('at %s with HTTP %i', async (name, given) => {
    status = given
    const { client } = await open({ [name]: url })
    await expect(client.getQrCode(subject)).rejects.toMatchObject({ code: 'WECHAT_UNAVAILABLE' })
    await expectCut(1)
  })

  test.each([200, 500])('at FORWARD_URL with HTTP %i', async (given) => {
    status = given
    await (await open({ FORWARD_URL: url })).deliver()
    await expectCut(1)
  })

  test.each([200, 500])('at a webhook receiver with HTTP %i', async (given) => {
    status = given
    const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
    const { phone, ticketUrl, time } = await open({ WEBHOOK_URL: url, WEBHOOK_SECRET })
    await phone('amy').scan(await ticketUrl())
    await phone('amy').follow()
    while (answers.length === 0) {
      await new Promise(setImmediate)
      time.advance(1_000)
    }
    expect(await answers[0]).toBeLessThan(LIMIT)
  })

  test('in the doctor and in `wechat-bind/client`', async () => {
    const deps = { fetch, clock: Date.now, setTimer: systemTimer }
    expect(await requestJson(deps, url)).toMatchObject({
      kind: 'failed',
      fault: { en: 'answered something other than a JSON object' },
    })
    await expectCut(1)
    const client = createBindClient({ server: url, keyId: 'k1', key: new Uint8Array(32) })
    await expect(client.disconnect(subject)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    await expectCut(2)
  })
})
