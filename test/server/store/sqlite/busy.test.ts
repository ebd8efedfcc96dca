import { expect, test } from 'vitest'
import { createPatience, retryWhileBusy } from '../../../../server/store/sqlite/busy.ts'

/** Fails `times` times with SQLite's code for a lock of another process, 261: SQLITE_BUSY_RECOVERY. */
function busy(times: number, errcode = 261) {
  let left = times
  return () => {
    if (left-- > 0) throw Object.assign(new Error('database is locked'), { errcode })
    return 'done'
  }
}

test('retryWhileBusy repeats a transaction until the other process has released the lock', async () => {
  expect(await retryWhileBusy(busy(5))).toBe('done')
})

test('retryWhileBusy gives up after the timeout, and at once after another error', async () => {
  await expect(retryWhileBusy(busy(Number.POSITIVE_INFINITY), 0)).rejects.toThrow('locked')
  await expect(retryWhileBusy(busy(1, 13))).rejects.toMatchObject({ errcode: 13 })
})

test('createPatience repeats a statement once with the longer timeout, and restores the short one', () => {
  const executed: string[] = []
  const withPatience = createPatience({ exec: (sql) => void executed.push(sql) })
  expect(withPatience(busy(0))).toBe('done')
  expect(executed).toEqual([])
  expect(withPatience(busy(1))).toBe('done')
  expect(() => withPatience(busy(2))).toThrow('locked')
  const both = ['PRAGMA busy_timeout = 20', 'PRAGMA busy_timeout = 2']
  expect(executed).toEqual([...both, ...both])
  expect(() => withPatience(busy(1, 13))).toThrow('locked')
  expect(executed).toHaveLength(4)
})
