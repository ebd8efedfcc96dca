/** Many requests are sent on one connection without waiting for the answers. Checks how many are in flight, and the order of the answers. */
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { heldBytes } from '../../support/heap.ts'

let server: Server
let url: string
/** Requests that the server has started and not answered. */
let inFlight: number
let mostInFlight: number
let answered: number
/** Answers all present and later requests. */
let release: () => void
let socket: Socket

beforeEach(async () => {
  const { promise: released, resolve } = Promise.withResolvers<void>()
  release = resolve
  const fetch = async (request: Request) => {
    await released
    return new Response(new URL(request.url).pathname)
  }
  ;({ server, url } = await startListening({ fetch }, '127.0.0.1', 0))
  inFlight = mostInFlight = answered = 0
  server.on('request', (_, response) => {
    mostInFlight = Math.max(mostInFlight, ++inFlight)
    response.on('close', () => {
      inFlight--
      answered++
    })
  })
  socket = connect(Number(new URL(url).port), '127.0.0.1').setEncoding('latin1')
  socket.on('error', () => {})
})

afterEach(async () => {
  socket.destroy()
  release()
  await stopListening(server)
})

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

// Node's parser gets 64 KiB at once and does not stop in between; 16 requests and one more start before the pause.
const MOST = Math.ceil(65_536 / get('/00000').length) + 18

/** Enough turns of the event loop for the server to read 12 MiB, which is more than any test sends. */
async function turns(): Promise<void> {
  for (let i = 0; i < 200; i++) await new Promise(setImmediate)
}

describe('requests that are pipelined', () => {
  test('wait in the buffers of the system, and are all answered in order', async () => {
    const COUNT = 8_000
    const paths = Array.from({ length: COUNT }, (_, i) => `/${String(i).padStart(5, '0')}`)
    let said = ''
    socket.on('data', (text: string) => {
      said += text
    })
    const before = await heldBytes()
    socket.write(paths.map(get).join(''))
    await turns()
    expect(inFlight).toBeGreaterThan(16)
    expect(mostInFlight).toBeLessThan(MOST)
    // Each request in flight takes about 6 KiB, so 8,000 would take 48 MB.
    expect((await heldBytes()) - before).toBeLessThan(24_000_000)

    release()
    while (!said.endsWith(paths.at(-1)!)) await new Promise(setImmediate)
    expect([...said.matchAll(/^\/\d{5}/gm)].map(([path]) => path)).toEqual(paths)
    expect(mostInFlight).toBeLessThan(MOST)
  })

  test('with bodies are answered, even if a body arrives after the pause', async () => {
    const post = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n${'x'.repeat(10_000)}`
    socket.write(post.repeat(100))
    socket.resume()
    await turns()
    expect(inFlight).toBeGreaterThan(16)
    expect(mostInFlight).toBeLessThan(30)
    release()
    while (answered < 100) await new Promise(setImmediate)
  })

  test('do not delay another connection, and end when their client disconnects', async () => {
    socket.write(get('/00000').repeat(8_000))
    await turns()
    const other = fetch(`${url}/other`)
    release()
    expect(await (await other).text()).toBe('/other')
    socket.destroy()
    while (inFlight > 0) await new Promise(setImmediate)
  })
})
