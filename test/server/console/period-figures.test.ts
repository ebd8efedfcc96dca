import { describe, expect, test } from 'vitest'
import { createPeriodFigures, HOUR_MS } from '../../../server/console/period-figures.ts'
import type { FunnelCounts } from '../../../server/store/console-store.ts'

const UNTIL = 100 * HOUR_MS
const OPEN = UNTIL - 2 * HOUR_MS
const period = { from: UNTIL - 24 * HOUR_MS, until: UNTIL, tenant: undefined }
const counts = (bound: number): FunnelCounts => ({ shown: 9, scanned: bound, confirmed: bound, bound, unbound: 0 })

/** `reads` are the beginnings of the periods that were read. */
function openFigures() {
  const world = { now: OPEN, reads: [] as number[], bound: 1, isBroken: false }
  const read = async <T>(from: number, rows: T): Promise<T> => {
    world.reads.push(from)
    if (world.isBroken) throw new Error('the store is away')
    return rows
  }
  const figures = createPeriodFigures(
    {
      total: (from) => read(from, counts(0)),
      byTenant: (from) =>
        read(
          from,
          from === OPEN
            ? [{ tenant: 'small', ...counts(world.bound) }]
            : [
                { tenant: 'big', ...counts(3) },
                { tenant: 'small', ...counts(2) },
              ],
        ),
      hourly: (from) => read(from, [{ hour: from, ...counts(from === OPEN ? world.bound : 5), took: [] }]),
    },
    () => world.now,
  )
  const pastReads = () => world.reads.splice(0).filter((from) => from !== OPEN).length
  return { world, figures, pastReads }
}

describe('the figures of a period', () => {
  test('are read completely at first, and within a minute only for the last two hours', async () => {
    const { world, figures, pastReads } = openFigures()
    const { hourly, byTenant } = await figures(period)
    expect(pastReads()).toBe(3)
    expect(hourly.map(({ hour, bound }) => [hour, bound])).toEqual([
      [period.from, 5],
      [OPEN, 1],
    ])
    // With as many bindings, the tenant with more QR codes is first.
    expect(byTenant.map(({ tenant, bound, shown }) => [tenant, bound, shown])).toEqual([
      ['small', 3, 18],
      ['big', 3, 9],
    ])
    world.now += 59_999
    world.bound = 4
    const later = await figures(period)
    expect(pastReads()).toBe(0)
    expect(later.byTenant[0]).toMatchObject({ tenant: 'small', bound: 6 })
    world.now += 1
    await figures(period)
    expect(pastReads()).toBe(3)
  })

  test('are read again for another tenant or another hour', async () => {
    const { figures, pastReads } = openFigures()
    await figures(period)
    await figures({ ...period, tenant: 'small' })
    await figures({ ...period, until: UNTIL + HOUR_MS, from: period.from + HOUR_MS })
    expect(pastReads()).toBeGreaterThanOrEqual(9)
  })

  test('that could not be read are read again by the next request', async () => {
    const { world, figures, pastReads } = openFigures()
    world.isBroken = true
    await expect(figures(period)).rejects.toThrow('away')
    await new Promise(setImmediate)
    world.isBroken = false
    pastReads()
    expect((await figures(period)).previous).toEqual(counts(0))
    expect(pastReads()).toBe(3)
  })
})
