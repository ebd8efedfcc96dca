import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { ask, exchange, type Reach, within } from '../../../server/doctor/exchange.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import type { Fetch } from '../../../server/platform.ts'
import { createFakeTime } from '../../support/fake-time.ts'
import { hangs } from './doctor-fixture.ts'

const reachBy = (fetch: Fetch, time = createFakeTime()): Reach => ({ ...time, fetch })

describe('within', () => {
  test('tells the work that its time is up, and does not wait for it', async () => {
    const { setTimer, advance, pending } = createFakeTime()
    let signal: AbortSignal | undefined
    const ended = within(setTimer, 5_000, (given) => {
      signal = given
      return new Promise(() => {})
    })
    advance(4_999)
    expect(signal?.aborted).toBe(false)
    advance(1)
    expect(await ended).toBe('late')
    expect(signal?.aborted).toBe(true)
    expect(pending()).toBe(0)
  })

  test('leaves no timer behind when the work ends or fails', async () => {
    const { setTimer, pending } = createFakeTime()
    expect(await within(setTimer, 5_000, async () => 1)).toBe(1)
    await expect(within(setTimer, 5_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(pending()).toBe(0)
  })
})

describe('exchange', () => {
  test('takes a redirect for an answer, over a real socket', async () => {
    const app = new Hono().get('/', (c) => c.redirect('/elsewhere')).get('/elsewhere', (c) => c.text('here'))
    const { server, url } = await startListening(app, '127.0.0.1', 0)
    expect(await exchange(reachBy(fetch), `${url}/`, {})).toMatchObject({ kind: 'heard', status: 302 })
    await stopListening(server)
  })

  test('keeps the bytes as they came', async () => {
    const heard = await exchange(
      reachBy(async () => new Response('\ufeff1')),
      'http://any.test',
      {},
    )
    expect(heard).toMatchObject({ kind: 'heard', body: Buffer.from([0xef, 0xbb, 0xbf, 0x31]) })
  })

  test('gives up on a body that does not end', async () => {
    const time = createFakeTime()
    const asked = exchange(
      reachBy(async () => new Response(new ReadableStream()), time),
      'http://any.test',
      {},
    )
    time.advance(5_000)
    expect(await asked).toEqual({ kind: 'late' })
  })

  test('names the cause of a failure only where it is a code', async () => {
    const failing = (cause: unknown) =>
      exchange(
        reachBy(() => Promise.reject(new TypeError('http://any.test?access_token=t', { cause }))),
        'http://any.test',
        {},
      )
    expect(await failing({ code: 'CERT_HAS_EXPIRED' })).toEqual({ kind: 'unreachable', why: 'CERT_HAS_EXPIRED' })
    expect(await failing({ code: 'no t' })).toEqual({ kind: 'unreachable', why: 'no connection' })
    expect(await failing(undefined)).toEqual({ kind: 'unreachable', why: 'no connection' })
  })
})

describe('ask', () => {
  test('ends in words when nobody answers', async () => {
    const time = createFakeTime()
    const asked = ask(reachBy(hangs, time), 'http://any.test')
    time.advance(5_000)
    expect(await asked).toMatchObject({ kind: 'silent', what: { en: 'did not answer within 5 s' } })
  })

  test.each(['null', '1', '"text"', ''])('takes %j for no JSON object', async (body) => {
    const asked = await ask(
      reachBy(async () => new Response(body)),
      'http://any.test',
    )
    expect(asked.kind).toBe('silent')
  })
})
