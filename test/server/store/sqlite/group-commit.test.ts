import { describe, expect, test } from 'vitest'
import { type CommittedBatch, createGroupCommit, UnitError } from '../../../../server/store/sqlite/group-commit.ts'
import type { UnitOfWork } from '../../../../server/store/store.ts'

const noTx = {} as Parameters<UnitOfWork>[0]

/** A unit of work whose result is its name. */
const work = (name: string) => (() => name) as unknown as UnitOfWork<string>

/**
 * A group commit on an engine that commits at once. The fsync ends when the test settles `fsync`. A unit named `failing` throws. A
 * unit named `full disk` makes the whole commit throw.
 */
function openEngine() {
  const commits: unknown[][] = []
  const fsync = Promise.withResolvers<void>()
  fsync.promise.catch(() => {})
  let durable = 0
  const group = createGroupCommit({
    async commit(works): Promise<CommittedBatch> {
      const results: unknown[] = works.map((each) => each(noTx))
      const failing = results.indexOf('failing')
      if (failing >= 0) throw new UnitError(failing, new Error('of this unit'))
      if (results.includes('full disk')) throw new Error('the disk is full')
      commits.push(results)
      return { results, tookMs: 7, onDurable: () => durable++ }
    },
    sync: () => fsync.promise,
  })
  return { group, commits, fsync, durableBatches: () => durable }
}

describe('createGroupCommit', () => {
  test('settles no unit of work before the fsync has ended, and runs the next transaction during the fsync', async () => {
    const { group, commits, fsync, durableBatches } = openEngine()
    const answered: string[] = []
    const first = group.write(work('a')).then((name) => answered.push(name))
    while (commits.length < 1) await new Promise(setImmediate)
    const second = group.write(work('b')).then((name) => answered.push(name))
    while (commits.length < 2) await new Promise(setImmediate)
    expect([answered, durableBatches()]).toEqual([[], 0])
    fsync.resolve()
    await Promise.all([first, second])
    expect([answered, durableBatches()]).toEqual([['a', 'b'], 2])
    await group.idle()
  })

  test('settles a unit that is durable later after its commit, and leaves its fsync to the next batch', async () => {
    const { group, commits, fsync, durableBatches } = openEngine()
    expect(await group.write(work('count'), { isDurableLater: true })).toBe('count')
    expect([commits, durableBatches()]).toEqual([[['count']], 0])
    const answered: string[] = []
    const ticket = group.write(work('ticket')).then((name) => answered.push(name))
    expect(await group.write(work('count'), { isDurableLater: true })).toBe('count')
    // The second count shares the transaction of the ticket, which waits for the fsync.
    expect([commits[1], answered]).toEqual([['ticket', 'count'], []])
    fsync.resolve()
    await ticket
    expect(durableBatches()).toBe(1)
    await group.idle()
  })

  test('tells each unit before the fsync how long their transaction took', async () => {
    const { group, fsync } = openEngine()
    const told: string[] = []
    const both = Promise.all(
      ['a', 'b'].map((name) => group.write(work(name), { onTook: (ms) => told.push(`${name} ${ms}`) })),
    )
    while (told.length < 2) await new Promise(setImmediate)
    expect(told).toEqual(['a 7', 'b 7'])
    fsync.resolve()
    await both
  })

  test('waits for a turn of the event loop before each transaction of a long queue', async () => {
    const { group, commits, fsync } = openEngine()
    const writes = Promise.all(Array.from({ length: 1_000 }, (_, i) => group.write(work(String(i)))))
    for (let before = 0; commits.length < 4; before = commits.length) {
      await new Promise(setImmediate)
      expect(commits.length - before).toBeLessThanOrEqual(1)
    }
    fsync.resolve()
    await writes
  })

  test('resolves idle() only when the units added after its call are on the disk too', async () => {
    const syncs: (() => void)[] = []
    const group = createGroupCommit({
      commit: async (works) => ({ results: works.map((each) => each(noTx)), tookMs: 7, onDurable: () => {} }),
      sync: () => new Promise((resolve) => void syncs.push(resolve)),
    })
    const isSynced = async (count: number) => {
      while (syncs.length < count) await new Promise(setImmediate)
    }
    const first = group.write(work('a'))
    await isSynced(1)
    let isIdle = false
    const idle = group.idle().then(() => {
      isIdle = true
    })
    const second = group.write(work('b'))
    await isSynced(2)
    syncs[0]!()
    expect(await first).toBe('a')
    // One turn of the event loop, in which `idle` would resolve if it did not wait for the second sync.
    await new Promise(setImmediate)
    expect(isIdle).toBe(false)
    syncs[1]!()
    expect(await second).toBe('b')
    await idle
  })

  test('commits units that arrive together in one transaction, and rejects only the unit that throws', async () => {
    const { group, commits, fsync } = openEngine()
    fsync.resolve()
    const written = await Promise.allSettled(['a', 'failing', 'b'].map((name) => group.write(work(name))))
    expect(written.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(commits).toEqual([['a', 'b']])
  })

  test('rejects every unit when the engine or the fsync fails', async () => {
    const full = openEngine()
    const refused = await Promise.allSettled(['a', 'full disk'].map((name) => full.group.write(work(name))))
    const broken = openEngine()
    broken.fsync.reject(new Error('EIO'))
    const lost = await Promise.allSettled(['a', 'b'].map((name) => broken.group.write(work(name))))
    expect([...refused, ...lost].map((each) => (each as PromiseRejectedResult).reason.message)).toEqual([
      'the disk is full',
      'the disk is full',
      'EIO',
      'EIO',
    ])
    expect([full.durableBatches(), broken.durableBatches()]).toEqual([0, 0])
  })
})
