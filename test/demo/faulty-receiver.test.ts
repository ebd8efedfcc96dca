import { describe, expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { answerFaulty } from '../../demo/faulty-receiver.ts'
import type { WireEntry } from '../../demo/simulator/traffic-log.ts'
import { bindAmy, clientOf, lin, start } from './demo-fixture.ts'

/**
 * Waits until the traffic log contains an attempt of the webhook for which `wanted` is true. Returns all attempts in
 * order.
 */
function attemptsUntil(demo: Demo, wanted: (attempt: WireEntry) => boolean): Promise<WireEntry[]> {
  return new Promise((resolve) => {
    const look = () => {
      const attempts = demo.wire.since(0).filter(({ kind }) => kind === 'webhook')
      if (!attempts.some(wanted)) return
      unwatch()
      resolve(attempts)
    }
    const unwatch = demo.wire.watch(look)
    look()
  })
}

const isAnswered = ({ isPending }: WireEntry) => !isPending
const isAccepted = ({ status }: WireEntry) => status === 204

describe('the webhook receiver of the demo', () => {
  test.each([
    ['error', 500],
    ['busy', 429],
    ['moved', 307],
    ['gone', 410],
  ] as const)(
    'with receiver=%s, answers with the status of this failure, and accepts the waiting notices after the reset',
    async (receiver, status) => {
      const demo = await start()
      await demo.set({ receiver })
      await bindAmy(demo)
      expect((await attemptsUntil(demo, isAnswered))[0]?.status).toBe(status)
      await demo.set({})
      expect((await attemptsUntil(demo, isAccepted)).at(-1)?.status).toBe(204)
    },
  )

  test('with receiver=hang, does not answer, and accepts the waiting notices after the reset', async () => {
    const demo = await start()
    await demo.set({ receiver: 'hang' })
    await bindAmy(demo)
    await attemptsUntil(demo, () => true)
    // Three calls take long enough for the webhook to reach the receiver.
    for (let i = 0; i < 3; i++) await clientOf(demo).getBindInfo(lin)
    await demo.set({})
    const [first, second] = await attemptsUntil(demo, isAccepted)
    expect(first).toMatchObject({ isPending: true, status: 0 })
    expect(second).toMatchObject({ status: 204, raw: first?.raw })
  })

  test('with receiver=hang, waits longer than the bind server does, unless the demo closes', async () => {
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
