import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import { inTurns } from '../../../server/http/turns.ts'

const nextTurn = () => new Promise(setImmediate)

test('begins at most 32 calls in a turn of the event loop, in order', async () => {
  const begun: number[] = []
  const begin = inTurns((number: number) => begun.push(number))
  for (let i = 0; i < 70; i++) begin(i)
  const counts = [begun.length]
  for (let turn = 0; turn < 3; turn++) {
    await nextTurn()
    counts.push(begun.length)
  }
  expect(counts).toEqual([0, 32, 64, 70])
  expect(begun).toEqual(Array.from({ length: 70 }, (_, i) => i))
})

test('a call that arrives during a turn begins after the earlier ones', async () => {
  const begun: string[] = []
  const begin = inTurns((name: string) => {
    begun.push(name)
    if (name === 'first') begin('later')
  })
  begin('first')
  begin('second')
  await nextTurn()
  expect(begun).toEqual(['first', 'second'])
  await nextTurn()
  expect(begun).toEqual(['first', 'second', 'later'])
})

test('a server begins the requests of one packet in several turns, and none of a client that has disconnected', async () => {
  const begun: number[] = []
  let turn = 0
  let isOver = false
  const count = () => {
    turn++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const intercept = (_: IncomingMessage, response: ServerResponse) => {
    begun.push(turn)
    response.end()
    return true
  }
  const app = { fetch: () => new Response() }
  const { server, url } = await startListening(app, '127.0.0.1', 0, { intercept })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(get.repeat(70))
  while (begun.length < 70) await nextTurn()
  const counts = [...new Set(begun)].map((each) => begun.filter((turn) => turn === each).length)
  expect(Math.max(...counts)).toBe(32)

  const { promise: closed, resolve } = Promise.withResolvers<void>()
  server.once('request', (request) => request.once('close', resolve).destroy())
  socket.write(get)
  await closed
  await nextTurn()
  expect(begun).toHaveLength(70)
  isOver = true
  await stopListening(server)
})
