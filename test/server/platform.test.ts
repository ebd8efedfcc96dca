import { describe, expect, test } from 'vitest'
import { AnswerTooLong, readCapped } from '../../server/platform.ts'

/** An answer that never ends, in chunks of 1 KiB. */
function endless() {
  const seen = { pulled: 0, isCancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.pulled++
        controller.enqueue(new Uint8Array(1024))
      },
      cancel() {
        seen.isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { seen, response: new Response(body) }
}

describe('readCapped', () => {
  test('returns a body up to the limit, and an empty body', async () => {
    expect(await readCapped(new Response('x'.repeat(100)), 100)).toEqual(new Uint8Array(100).fill(120))
    expect(await readCapped(new Response(null, { status: 204 }), 100)).toEqual(new Uint8Array(0))
  })

  test('joins the chunks in their order', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of ['one ', 'two ', '三']) controller.enqueue(new TextEncoder().encode(part))
        controller.close()
      },
    })
    expect(new TextDecoder().decode(await readCapped(new Response(body), 100))).toBe('one two 三')
  })

  test('cancels a body at the first chunk beyond the limit', async () => {
    const { seen, response } = endless()
    await expect(readCapped(response, 10_000)).rejects.toThrow(AnswerTooLong)
    expect(seen).toEqual({ pulled: 10, isCancelled: true })
  })
})
