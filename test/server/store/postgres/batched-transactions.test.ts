import { describe, expect, test, vi } from 'vitest'
import { createBatchedTransactions, RolledBackError } from '../../../../server/store/postgres/batched-transactions.ts'
import type { UnitOfWork } from '../../../../server/store/store.ts'

const GIVE_UP_AFTER_MS = 3_000

type Batch = { names: string[]; commit(): void; fail(error: unknown): void }

/** An engine whose shared transactions stay open until the test commits or fails each of them. */
function openEngine() {
  const nameOf = new Map<UnitOfWork, string>()
  /** The open shared transactions, in the order of their start. */
  const open: Batch[] = []
  /** The units that ran in separate transactions. A unit is a function that reads and writes the store. */
  const alone: string[] = []
  const transactions = createBatchedTransactions(
    (works) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown[]>()
      const names = works.map((work) => nameOf.get(work)!)
      const end = (settle: () => void) => () => {
        open.splice(open.indexOf(batch), 1)
        settle()
      }
      const batch: Batch = {
        names,
        commit: end(() => resolve(names.map((name) => `${name}, shared`))),
        fail: (error) => end(() => reject(error))(),
      }
      open.push(batch)
      return promise
    },
    async (work) => {
      const name = nameOf.get(work)!
      alone.push(name)
      if (name === 'failing') throw new Error('error of this unit')
      return `${name}, alone`
    },
    GIVE_UP_AFTER_MS,
  )

  function write(name: string): Promise<unknown> {
    const work = (() => {}) as unknown as UnitOfWork
    nameOf.set(work, name)
    return transactions.write(work)
  }

  return {
    alone,
    open,
    write,
    writeAll: (names: string[]) => Promise.allSettled(names.map(write)),
    idle: transactions.idle,
  }
}

/** Waits for a few turns of the event loop. Every promise that does not wait for a commit settles in this time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => String(i))

const outcomesOf = (settled: PromiseSettledResult<unknown>[]) =>
  settled.map((each) => (each.status === 'fulfilled' ? each.value : (each.reason as Error).message))

describe('createBatchedTransactions', () => {
  test('uses a separate transaction for a unit if no other unit arrives in the same turn of the event loop', async () => {
    const { write, alone, open } = openEngine()
    expect(await write('a')).toBe('a, alone')
    expect([alone, open]).toEqual([['a'], []])
  })

  test('shares one transaction among the units of one turn of the event loop, and gives each unit its own result', async () => {
    const { write, alone, open } = openEngine()
    const first = write('a')
    // The batch starts at the end of the turn. Promises that settle earlier, such as reads of other sockets, can add units.
    for (let i = 0; i < 20; i++) await undefined
    const written = Promise.allSettled([first, write('b'), write('c')])
    await turns()
    expect(open.map(({ names }) => names)).toEqual([['a', 'b', 'c']])
    open[0]!.commit()
    expect(outcomesOf(await written)).toEqual(['a, shared', 'b, shared', 'c, shared'])
    expect(alone).toEqual([])
  })

  test('resolves no unit before its transaction has committed', async () => {
    const { writeAll, open } = openEngine()
    let isWritten = false
    const written = writeAll(['a', 'b']).then(() => {
      isWritten = true
    })
    await turns()
    expect(isWritten).toBe(false)
    open[0]!.commit()
    await written
    expect(isWritten).toBe(true)
  })

  test('runs each unit again in its own transaction after a rollback of the shared transaction, and rejects only the failing unit', async () => {
    const { writeAll, alone, open } = openEngine()
    const written = writeAll(['a', 'failing', 'b'])
    await turns()
    open[0]!.fail(new RolledBackError('rolled back'))
    expect(outcomesOf(await written)).toEqual(['a, alone', 'error of this unit', 'b, alone'])
    expect(alone).toEqual(['a', 'failing', 'b'])
  })

  test('rejects every unit and runs no unit again when the outcome of the commit is unknown', async () => {
    const { writeAll, alone, open } = openEngine()
    const written = writeAll(['a', 'b'])
    await turns()
    open[0]!.fail(new Error('connection lost'))
    expect(outcomesOf(await written)).toEqual(['connection lost', 'connection lost'])
    expect(alone).toEqual([])
  })

  test('puts at most 64 units into one transaction', async () => {
    const { writeAll, open, idle } = openEngine()
    const written = writeAll(numbered(130))
    const sizes: number[] = []
    while (sizes.length < 3) {
      await turns()
      for (const batch of [...open]) {
        sizes.push(batch.names.length)
        batch.commit()
      }
    }
    expect(sizes.toSorted((a, b) => b - a)).toEqual([64, 64, 2])
    expect(outcomesOf(await written)).toEqual(numbered(130).map((name) => `${name}, shared`))
    await idle()
  })

  test('opens at most four transactions, and keeps further units in the queue until one of them has ended', async () => {
    const { writeAll, open } = openEngine()
    const written: Promise<PromiseSettledResult<unknown>[]>[] = []
    for (let group = 0; group < 6; group++) {
      written.push(writeAll([`${group}a`, `${group}b`]))
      await turns()
    }
    expect(open.map(({ names }) => names)).toEqual([
      ['0a', '0b'],
      ['1a', '1b'],
      ['2a', '2b'],
      ['3a', '3b'],
    ])
    open[2]!.commit()
    await turns()
    // The two groups that waited share the next transaction.
    expect(open.map(({ names }) => names)).toEqual([
      ['0a', '0b'],
      ['1a', '1b'],
      ['3a', '3b'],
      ['4a', '4b', '5a', '5b'],
    ])
    for (const batch of [...open]) batch.commit()
    expect((await Promise.all(written)).flatMap(outcomesOf)).toHaveLength(12)
  })

  test('continues after a failed transaction', async () => {
    const { writeAll, write, open } = openEngine()
    const written = writeAll(['a', 'b'])
    await turns()
    open[0]!.fail(new Error('connection lost'))
    await written
    expect(await write('c')).toBe('c, alone')
  })

  test('rejects a queued unit, and does not run it, when its caller has stopped waiting', async () => {
    const { writeAll, alone, open } = openEngine()
    const running: Promise<unknown>[] = []
    for (let group = 0; group < 4; group++) {
      running.push(writeAll([`${group}a`, `${group}b`]))
      await turns()
    }
    const now = vi.spyOn(performance, 'now')
    const startedAt = performance.now()
    now.mockReturnValue(startedAt)
    const late = writeAll(['late', 'late, too'])
    await turns()
    now.mockReturnValue(startedAt + GIVE_UP_AFTER_MS + 1)
    const fresh = writeAll(['c', 'd'])
    open[0]!.commit()
    await turns()
    now.mockRestore()
    expect(outcomesOf(await late)).toEqual(Array(2).fill('no transaction has begun within 3000 ms'))
    expect(open.map(({ names }) => names).at(-1)).toEqual(['c', 'd'])
    for (const batch of [...open]) batch.commit()
    await Promise.all([...running, fresh])
    expect(alone).toEqual([])
  })

  test('resolves idle() when every unit is settled, including units that arrived after the call of idle()', async () => {
    const { writeAll, open, idle } = openEngine()
    const first = writeAll(['a', 'b'])
    await turns()
    let isIdle = false
    const waiting = idle().then(() => {
      isIdle = true
    })
    const second = writeAll(['c', 'd'])
    await turns()
    open[0]!.commit()
    await first
    await turns()
    expect(isIdle).toBe(false)
    open[0]!.commit()
    await second
    await waiting
    expect(isIdle).toBe(true)
  })

  test('resolves idle() immediately when nothing was written', async () => {
    await expect(openEngine().idle()).resolves.toBeUndefined()
  })
})
