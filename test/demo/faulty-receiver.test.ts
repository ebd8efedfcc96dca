import { describe, expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { answerFaulty } from '../../demo/faulty-receiver.ts'
import { bindAmy, start } from './demo-fixture.ts'

/** The statuses of the webhook's attempts in the traffic log, in order. */
const attempts = (demo: Demo) =>
  demo.wire
    .since(0)
    .filter(({ kind, isPending }) => kind === 'webhook' && !isPending)
    .map(({ status }) => status)

describe('the webhook receiver of the demo', () => {
  test.each([
    ['error', 500],
    ['busy', 429],
    ['moved', 307],
    ['gone', 410],
  ] as const)(
    'answers with receiver=%s as chosen, and accepts what waits after the reset',
    async (receiver, status) => {
      const demo = await start()
      await demo.set({ receiver })
      await bindAmy(demo)
      await expect.poll(() => attempts(demo)[0], { timeout: 8_000 }).toBe(status)
      await demo.set({})
      await expect.poll(() => attempts(demo), { timeout: 8_000 }).toContain(204)
    },
  )

  test('does not answer with receiver=hang until the demo closes', async () => {
    const closing = new AbortController()
    let waitedMs = 0
    const delay = (ms: number, signal?: AbortSignal) =>
      new Promise<void>((_, reject) => {
        waitedMs = ms
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    const answered = answerFaulty('hang', delay, closing.signal)
    closing.abort()
    expect((await answered).status).toBe(204)
    expect(waitedMs).toBeGreaterThan(20_000)
  })
})
