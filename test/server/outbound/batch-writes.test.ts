import { describe, expect, test } from 'vitest'
import { createBatchWrites } from '../../../server/outbound/batch-writes.ts'
import { createFakeTime } from '../../support/fake-time.ts'

const COLLECT_MS = 10

/** Batch writes whose writes the test ends. */
function open() {
  const time = createFakeTime()
  const writes: { items: string[]; end: () => void; fail: (error: Error) => void }[] = []
  const batches = createBatchWrites<string>(
    (items) => new Promise((resolve, reject) => writes.push({ items, end: resolve, fail: reject })),
    time.setTimer,
    COLLECT_MS,
  )
  /** Advances the clock. Resolves when the write that is due now, if any, has begun. */
  const pass = async (ms: number) => {
    time.advance(ms)
    await new Promise(setImmediate)
  }
  return { ...batches, pass, time, writes, written: () => writes.map(({ items }) => items) }
}

describe('createBatchWrites', () => {
  test('writes the items of the collecting time together, and each is written before its promise resolves', async () => {
    const { add, pass, writes, written } = open()
    const resolved: string[] = []
    const all = ['a', 'b'].map((item) => add(item).then(() => resolved.push(item)))
    await pass(COLLECT_MS - 1)
    expect(written()).toEqual([])
    await pass(1)
    expect(written()).toEqual([['a', 'b']])
    expect(resolved).toEqual([])
    writes[0]?.end()
    await Promise.all(all)
    expect(resolved).toEqual(['a', 'b'])
  })

  test('starts no write while another write runs, and then writes the items that have arrived in one write', async () => {
    const { add, pass, writes, written } = open()
    const first = add('a')
    await pass(COLLECT_MS)
    const rest = [add('b'), add('c')]
    await pass(COLLECT_MS * 5)
    expect(written()).toEqual([['a']])
    writes[0]?.end()
    await first
    await pass(0)
    expect(written()).toEqual([['a'], ['b', 'c']])
    writes[1]?.end()
    await expect(Promise.all(rest)).resolves.toHaveLength(2)
  })

  test('rejects every item of a failed write, and writes the next items', async () => {
    const { add, pass, writes, written } = open()
    const refused = Promise.allSettled([add('a'), add('b')])
    await pass(COLLECT_MS)
    writes[0]?.fail(new Error('the store is down'))
    expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const next = add('c')
    await pass(COLLECT_MS)
    expect(written()).toEqual([['a', 'b'], ['c']])
    writes[1]?.end()
    await next
  })

  test('writes the present items at once when it is closed, and later items without collecting', async () => {
    const { add, close, pass, writes, written, time } = open()
    const first = add('a')
    close()
    await pass(0)
    expect(written()).toEqual([['a']])
    const later = add('b')
    writes[0]?.end()
    await first
    await pass(0)
    expect(written()).toEqual([['a'], ['b']])
    writes[1]?.end()
    await later
    expect(time.pending()).toBe(0)
  })
})
