import { describe, expect, test } from 'vitest'
import { createFsync } from '../../../../server/store/sqlite/fsync.ts'

/** A disk whose syncs end when the test settles their promises. `done` lists the callers whose call has settled. */
function openDisk() {
  const syncs: PromiseWithResolvers<void>[] = []
  const { sync: syncFile } = createFsync(() => {
    const sync = Promise.withResolvers<void>()
    syncs.push(sync)
    return sync.promise
  })
  const done: string[] = []
  const request = (name: string) =>
    syncFile().then(
      () => void done.push(name),
      (error: Error) => void done.push(`${name}: ${error.message}`),
    )
  return { syncs, done, request }
}

describe('createFsync', () => {
  test('resolves after a sync that started after the call, and shares this sync among several callers', async () => {
    const { syncs, done, request } = openDisk()
    const first = request('first')
    const later = [request('second'), request('third')]
    expect(syncs.length).toBe(1)
    syncs[0]!.resolve()
    await first
    expect([done, syncs.length]).toEqual([['first'], 2])
    syncs[1]!.resolve()
    await Promise.all(later)
    expect([done, syncs.length]).toEqual([['first', 'second', 'third'], 2])
  })

  test('starts at once when no sync is running', async () => {
    const { syncs, request } = openDisk()
    for (const name of ['first', 'second']) {
      const requested = request(name)
      syncs.at(-1)!.resolve()
      await requested
    }
    expect(syncs.length).toBe(2)
  })

  test('fails every call after a failed sync, because the system may have dropped pages', async () => {
    const { syncs, done, request } = openDisk()
    const requested = [request('first'), request('second')]
    syncs[0]!.reject(new Error('EIO'))
    await Promise.all(requested)
    await request('third')
    const failed = 'the disk failed to sync (fsync): check it, then restart the server'
    expect(done).toEqual(['first: EIO', `second: ${failed}`, `third: ${failed}`])
    expect(syncs.length).toBe(1)
  })
})
