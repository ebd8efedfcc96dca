import { describe, expect, test } from 'vitest'
import { type Batch, createGroup, UnitFault } from '../../../../server/store/sqlite/group-commit.ts'
import type { UnitOfWork } from '../../../../server/store/store.ts'

const noTx = {} as Parameters<UnitOfWork>[0]

/** A work that gives its name, or throws when it is to blame. */
const work = (name: string) => (() => name) as unknown as UnitOfWork<string>

/** An engine that commits at once, and whose disk is synced when the test says so. */
function openEngine() {
  const commits: unknown[][] = []
  const synced = Promise.withResolvers<void>()
  synced.promise.catch(() => {})
  let durable = 0
  const group = createGroup({
    async commit(works): Promise<Batch> {
      const results: unknown[] = works.map((each) => each(noTx))
      const guilty = results.indexOf('guilty')
      if (guilty >= 0) throw new UnitFault(guilty, new Error('mine'))
      if (results.includes('full disk')) throw new Error('the disk is full')
      commits.push(results)
      return { results, whenDurable: () => durable++ }
    },
    synced: () => synced.promise,
  })
  return { group, commits, sync: synced, isDurable: () => durable }
}

describe('createGroup', () => {
  test('answers nobody before the disk has it, and runs the next transaction meanwhile', async () => {
    const { group, commits, sync, isDurable } = openEngine()
    const answered: string[] = []
    const first = group.write(work('a')).then((name) => answered.push(name))
    while (commits.length < 1) await new Promise(setImmediate)
    const second = group.write(work('b')).then((name) => answered.push(name))
    while (commits.length < 2) await new Promise(setImmediate)
    expect([answered, isDurable()]).toEqual([[], 0])
    sync.resolve()
    await Promise.all([first, second])
    expect([answered, isDurable()]).toEqual([['a', 'b'], 2])
    await group.idle()
  })

  test('lets the event loop turn before each transaction of a flood', async () => {
    const { group, commits, sync } = openEngine()
    const writes = Promise.all(Array.from({ length: 1_000 }, (_, i) => group.write(work(String(i)))))
    for (let before = 0; commits.length < 4; before = commits.length) {
      await new Promise(setImmediate)
      expect(commits.length - before).toBeLessThanOrEqual(1)
    }
    sync.resolve()
    await writes
  })

  test('is idle when what came meanwhile is on the disk too', async () => {
    const syncs: (() => void)[] = []
    const group = createGroup({
      commit: async (works) => ({ results: works.map((each) => each(noTx)), whenDurable: () => {} }),
      synced: () => new Promise((resolve) => void syncs.push(resolve)),
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
    // Whatever the first sync has let go on has gone on by then.
    await new Promise(setImmediate)
    expect(isIdle).toBe(false)
    syncs[1]!()
    expect(await second).toBe('b')
    await idle
  })

  test('commits together what came together, and lets the guilty one fail alone', async () => {
    const { group, commits, sync } = openEngine()
    sync.resolve()
    const written = await Promise.allSettled(['a', 'guilty', 'b'].map((name) => group.write(work(name))))
    expect(written.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(commits).toEqual([['a', 'b']])
  })

  test('fails all when the engine does, or the disk', async () => {
    const full = openEngine()
    const refused = await Promise.allSettled(['a', 'full disk'].map((name) => full.group.write(work(name))))
    const broken = openEngine()
    broken.sync.reject(new Error('EIO'))
    const lost = await Promise.allSettled(['a', 'b'].map((name) => broken.group.write(work(name))))
    expect([...refused, ...lost].map((each) => (each as PromiseRejectedResult).reason.message)).toEqual([
      'the disk is full',
      'the disk is full',
      'EIO',
      'EIO',
    ])
    expect([full.isDurable(), broken.isDurable()]).toEqual([0, 0])
  })
})
