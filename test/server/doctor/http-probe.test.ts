import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type ProbeDeps, requestJson, sendRequest, withTimeout } from '../../../server/doctor/http-probe.ts'
import { startListening, stopListening } from '../../../server/http/listen.ts'
import type { Fetch } from '../../../server/platform.ts'
import { createFakeTime } from '../../support/fake-time.ts'
import { hangs } from './doctor-fixture.ts'

const depsWith = (fetch: Fetch, time = createFakeTime()): ProbeDeps => ({ ...time, fetch })

describe('withTimeout', () => {
  test('aborts the signal at the time limit, and does not wait for the work', async () => {
    const { setTimer, advance, pending } = createFakeTime()
    let signal: AbortSignal | undefined
    const ended = withTimeout(setTimer, 5_000, (given) => {
      signal = given
      return new Promise(() => {})
    })
    advance(4_999)
    expect(signal?.aborted).toBe(false)
    advance(1)
    expect(await ended).toBe('timeout')
    expect(signal?.aborted).toBe(true)
    expect(pending()).toBe(0)
  })

  test('cancels the timer when the work ends or fails', async () => {
    const { setTimer, pending } = createFakeTime()
    expect(await withTimeout(setTimer, 5_000, async () => 1)).toBe(1)
    await expect(withTimeout(setTimer, 5_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(pending()).toBe(0)
  })
})

describe('sendRequest', () => {
  test('returns a redirect as an answer, over a real socket', async () => {
    const app = new Hono().get('/', (c) => c.redirect('/elsewhere')).get('/elsewhere', (c) => c.text('here'))
    const { server, url } = await startListening(app, '127.0.0.1', 0)
    expect(await sendRequest(depsWith(fetch), `${url}/`)).toMatchObject({ kind: 'answered', status: 302 })
    await stopListening(server)
  })

  test('returns the bytes of the body unchanged', async () => {
    const result = await sendRequest(
      depsWith(async () => new Response('\ufeff1')),
      'http://any.test',
    )
    expect(result).toMatchObject({ kind: 'answered', body: Buffer.from([0xef, 0xbb, 0xbf, 0x31]) })
  })

  test('times out on a body that does not end', async () => {
    const time = createFakeTime()
    const result = sendRequest(
      depsWith(async () => new Response(new ReadableStream()), time),
      'http://any.test',
    )
    time.advance(5_000)
    expect(await result).toEqual({ kind: 'timeout' })
  })

  test('names the cause of a failure only if it is a code', async () => {
    const failing = (cause: unknown) =>
      sendRequest(
        depsWith(() => Promise.reject(new TypeError('http://any.test?access_token=t', { cause }))),
        'http://any.test',
      )
    expect(await failing({ code: 'CERT_HAS_EXPIRED' })).toEqual({ kind: 'unreachable', code: 'CERT_HAS_EXPIRED' })
    expect(await failing({ code: 'no t' })).toEqual({ kind: 'unreachable', code: 'no connection' })
    expect(await failing(undefined)).toEqual({ kind: 'unreachable', code: 'no connection' })
  })
})

describe('requestJson', () => {
  test('describes a time-out in words', async () => {
    const time = createFakeTime()
    const result = requestJson(depsWith(hangs, time), 'http://any.test')
    time.advance(5_000)
    expect(await result).toMatchObject({ kind: 'failed', fault: { en: 'did not answer within 5 s' } })
  })

  test.each(['null', '1', '"text"', ''])('fails on the body %j, which is not a JSON object', async (body) => {
    const result = await requestJson(
      depsWith(async () => new Response(body)),
      'http://any.test',
    )
    expect(result.kind).toBe('failed')
  })
})
