/** Measures the longest time for which a sweep of 139,800 expired rows blocks the event loop. */
import type { Store } from '../../../server/store/store.ts'
import { newTicket } from '../../support/rows.ts'
import type { Line } from './report.ts'

const EXPIRED = 60_000

export async function measureSweep(store: Store): Promise<Line> {
  const long = { createdAt: 1, expiresAt: 2 }
  for (let i = 0; i < EXPIRED; i += 1_000) {
    await store.write(function* (tx) {
      for (let j = i; j < i + 1_000; j++) {
        yield* tx.recordDelivery(`1|${j}`, '已绑定', 1)
        yield* tx.consumeJti(`old|${j}`, 1)
        if (j % 3 === 0)
          yield* tx.addTicket(
            { tenant: 'default', account: 'acme', userId: 'sweep' },
            newTicket(`sweep${j}`, long),
            false,
          )
      }
    })
  }
  const gaps: number[] = []
  let isOver = false
  let lastAt = performance.now()
  const tick = () => {
    gaps.push(performance.now() - lastAt)
    lastAt = performance.now()
    if (!isOver) setImmediate(tick)
  }
  setImmediate(tick)
  const startedAt = performance.now()
  await store.sweep(Date.now())
  isOver = true
  const longest = gaps.sort((a, b) => b - a)[Math.floor(gaps.length / 1000)] ?? 0
  const rows = Math.round(EXPIRED * 2.33).toLocaleString('en')
  return {
    what: `SQLite: sweep of ${rows} rows, longest pause of the event loop (99.9 % / all)`,
    value: `${longest.toFixed(1)} / ${(gaps[0] ?? 0).toFixed(1)} ms, in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    number: gaps[0] ?? 0,
    goal: { text: '20 ms', atMost: 20 },
  }
}
