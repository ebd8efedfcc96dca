import { describe, expect, test } from 'vitest'
import { createFsync } from '../../../../server/store/sqlite/fsync.ts'

/** A disk whose syncs end when the test says so. */
function openDisk() {
  const syncs: PromiseWithResolvers<void>[] = []
  const { synced } = createFsync(() => {
    const sync = Promise.withResolvers<void>()
    syncs.push(sync)
    return sync.promise
  })
  const done: string[] = []
  const ask = (name: string) =>
    synced().then(
      () => void done.push(name),
      (error: Error) => void done.push(`${name}: ${error.message}`),
    )
  return { syncs, done, ask }
}

describe('createFsync', () => {
  test('answers after a sync that began after the call, and shares it', async () => {
    const { syncs, done, ask } = openDisk()
    const first = ask('first')
    const later = [ask('second'), ask('third')]
    expect(syncs.length).toBe(1)
    syncs[0]!.resolve()
    await first
    expect([done, syncs.length]).toEqual([['first'], 2])
    syncs[1]!.resolve()
    await Promise.all(later)
    expect([done, syncs.length]).toEqual([['first', 'second', 'third'], 2])
  })

  test('begins at once when none is under way', async () => {
    const { syncs, ask } = openDisk()
    for (const name of ['first', 'second']) {
      const asked = ask(name)
      syncs.at(-1)!.resolve()
      await asked
    }
    expect(syncs.length).toBe(2)
  })

  test('trusts no disk that has failed once: what it could not write it may have dropped', async () => {
    const { syncs, done, ask } = openDisk()
    const asked = [ask('first'), ask('second')]
    syncs[0]!.reject(new Error('EIO'))
    await Promise.all(asked)
    await ask('third')
    const never = 'the disk failed to sync: see to it, and restart the server'
    expect(done).toEqual(['first: EIO', `second: ${never}`, `third: ${never}`])
    expect(syncs.length).toBe(1)
  })
})
