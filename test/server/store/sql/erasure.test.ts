import { expect, test } from 'vitest'
import { purgeErased } from '../../../../server/store/sql/erasure.ts'
import type { Store, Tx } from '../../../../server/store/store.ts'

test('completes erasures in transactions that are smaller after a long transaction', async () => {
  const limits: number[] = []
  const tx = {
    purgeErased(_: number, limit: number) {
      limits.push(limit)
      return limits.length < 6
    },
  } as unknown as Tx
  const write = (async (work, options) => {
    const isMore = work(tx) as unknown
    options?.onTook?.(limits.length === 3 ? 12 : 3)
    return isMore
  }) as Store['write']
  await purgeErased(write, 1)
  expect(limits).toEqual([25, 50, 100, 50, 100, 200])
})
