/** Receivers whose answers break the rules of HTTP, or never end, over real sockets. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createOutgoingFetch } from '../../../server/http/outgoing-fetch.ts'
import { sendWebhook } from '../../../server/outbound/webhook-request.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const secrets = [`whsec_${Buffer.alloc(32, 1).toString('base64')}`]
const TIMEOUT_MS = 20_000

// This body is longer than the buffers of the system. A reader without a limit gets all of it.
const LENGTH = 64 * 1024 * 1024
const LIMIT = 24 * 1024 * 1024

let server: Server
let receiver: (socket: Socket) => void
const sockets = new Set<Socket>()
const time = createFakeTime()
const fetch = createOutgoingFetch()

beforeEach(async () => {
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('data', () => receiver(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  server.close()
})

const send = () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return sendWebhook({ fetch, ...time }, { name: 'crm', url, secrets }, { id: 'evt_1', body: '{}' })
}

/** The outcome if the receiver sends `head` and nothing more, and the time limit passes after that. */
async function answerIn20s(head: string) {
  const { promise: sent, resolve } = Promise.withResolvers<void>()
  receiver = (socket) => void socket.write(head, () => resolve())
  const answer = send()
  await sent
  // Before its time limit, the sender reads the bytes that have arrived.
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  time.advance(TIMEOUT_MS)
  return answer
}

const noAnswer = (error: string) => ({
  accepted: false,
  failure: { status: null, error: expect.stringMatching(error) },
  retryAfterMs: undefined,
})

describe('a receiver that does not finish its answer', () => {
  test.each([
    ['within its status line', 'HTTP/1.1 20'],
    ['within its headers', 'HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B'],
    ['with informational answers', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'],
  ])('has no status if it stops %s', async (_, head) => {
    expect(await answerIn20s(head)).toEqual(noAnswer('TIMEOUT'))
  })

  test.each([
    ['200 OK', { accepted: true, status: 200 }],
    ['500 Oops', { accepted: false, failure: { status: 500, error: null }, retryAfterMs: undefined }],
  ])('is judged by its status if it stops within its body: %s', async (status, expected) => {
    expect(await answerIn20s(`HTTP/1.1 ${status}\r\nContent-Length: 10000000\r\n\r\nabc`)).toEqual(expected)
  })
})

describe('a receiver that breaks the rules of HTTP', () => {
  test.each([
    [
      'it changes the protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
      'BAD_ANSWER',
    ],
    ['its headers are too long', `HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(20_000)}\r\n`, 'HPE_HEADER_OVERFLOW'],
    ['it sends no HTTP', 'SSH-2.0-server\r\n', 'HPE_'],
    ['its status is unknown', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', 'BAD_ANSWER'],
  ])('has not accepted the webhook if %s, and is tried again', async (_, answer, error) => {
    receiver = (socket) => void socket.write(answer)
    expect(await send()).toEqual(noAnswer(error))
  })
})

describe('a body without an end', () => {
  test.each([
    ['200 OK', true],
    ['204 No Content', true],
    ['205 Reset Content', true],
    ['304 Not Modified', false],
    ['500 Oops', false],
  ])('is not read after %s: the connection is closed', async (status, accepted) => {
    const { promise: closed, resolve } = Promise.withResolvers<number>()
    const chunk = Buffer.from(`10000\r\n${' '.repeat(0x10000)}\r\n`)
    receiver = (socket) => {
      let written = 0
      const write = () => {
        while (written < LENGTH && socket.writable) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
        socket.destroy()
      }
      socket.on('drain', write).on('close', () => resolve(written))
      socket.write(`HTTP/1.1 ${status}\r\nTransfer-Encoding: chunked\r\n\r\n`)
      write()
    }
    expect(await send()).toMatchObject({ accepted })
    expect(await closed).toBeLessThan(LIMIT)
  })
})
