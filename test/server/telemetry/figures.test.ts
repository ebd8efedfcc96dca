import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../server/store/open-store.ts'
import type { Step, Store } from '../../../server/store/store.ts'
import { createFigures } from '../../../server/telemetry/figures.ts'

const HOUR = 3_600_000
const NOW = 472_222 * HOUR + 60_000

let store: Store
let now: number
let waiting: number
beforeEach(async () => {
  store = await openStore('sqlite::memory:', { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  now = NOW
  waiting = 0
})
afterEach(() => store.close())

const create = (instance: string, more: { isConfirmed?: boolean; console?: Store['console'] } = {}) =>
  createFigures({
    store: { console: more.console ?? store.console },
    clock: () => now,
    instance,
    isConfirmed: more.isConfirmed ?? false,
    waiting: () => waiting,
    waitingLimit: 10,
    token: () => ({ at: NOW, until: NOW + 1 }),
  })

const committed = (steps: Step[], tenant = 'default') => ({
  identity: { tenant, account: 'acme', userId: 'u1' },
  version: 1,
  steps,
})
const scan: Step = { name: 'scan' }
const bind: Step = { name: 'bind', reason: 'scan', tookMs: 7_000 }
const total = () => store.console.total(0, NOW + HOUR, undefined)

describe('createFigures', () => {
  test.each<[what: string, isConfirmed: boolean, steps: Step[], counts: number[]]>([
    ['a scan that binds at once', false, [bind], [1, 1, 1, 0]],
    ['a scan that waits for its confirmation', true, [scan], [1, 0, 0, 0]],
    ['a scan and its confirmation', true, [scan, bind], [1, 1, 1, 0]],
    ['a tap inside WeChat', true, [{ name: 'bind', reason: 'oauth', tookMs: undefined }], [1, 1, 1, 0]],
    ['an unbinding and a new binding', false, [{ name: 'unbind' }, bind], [1, 1, 1, 1]],
  ])('counts %s', async (_, isConfirmed, steps, counts) => {
    const figures = create('i1', { isConfirmed })
    figures.committed(committed(steps))
    await figures.save()
    const { scanned, confirmed, bound, unbound } = await total()
    expect([scanned, confirmed, bound, unbound]).toEqual(counts)
  })

  test('adds up the counts of all instances, and does not count the commits of other instances', async () => {
    const [one, two] = [create('i1'), create('i2')]
    one.shown('default')
    one.committed(committed([bind]))
    two.committed(committed([bind], 'other'))
    two.committed({ identity: { tenant: 'default', account: 'acme', userId: 'u1' }, version: 1 })
    two.committed('missed')
    await Promise.all([one.save(), two.save()])
    expect(await total()).toMatchObject({ shown: 1, bound: 2 })
    const [hour] = await store.console.hourly(0, NOW + HOUR, undefined)
    expect(hour?.took).toEqual([0, 0, 2, ...Array(11).fill(0)])
    expect(await store.console.byTenant(0, NOW + HOUR, 10)).toMatchObject([
      { tenant: 'default', bound: 1 },
      { tenant: 'other', bound: 1 },
    ])
  })

  test('keeps its counts while the store fails, and adds each of them once', async () => {
    let isDown = true
    const addFigures: Store['console']['addFigures'] = async (counted) => {
      if (isDown) throw new Error('down')
      return store.console.addFigures(counted)
    }
    const figures = create('i1', { console: { ...store.console, addFigures } })
    figures.committed(committed([bind]))
    figures.refused(40164)
    await expect(figures.save()).rejects.toThrow('down')
    figures.committed(committed([bind]))
    figures.refused(40164)
    isDown = false
    await figures.save()
    await figures.save()
    expect(await total()).toMatchObject({ bound: 2 })
    expect(await store.console.wechatErrors(NOW)).toEqual([{ errcode: 40164, count: 2, lastAt: NOW }])
  })

  test('writes nothing without a change, but repeats its report while pages wait', async () => {
    const figures = create('i1')
    const stateOf = async () => (await store.console.instances())[0]
    await figures.save()
    expect(await stateOf()).toMatchObject({ at: NOW, waiting: 0, callbackAt: null })
    now += 60_000
    await figures.save()
    expect(await stateOf()).toMatchObject({ at: NOW })
    waiting = 2
    figures.callback()
    await figures.save()
    expect(await stateOf()).toMatchObject({ at: NOW + 60_000, waiting: 2, callbackAt: NOW + 60_000 })
    now += 10_000
    await figures.save()
    expect(await stateOf()).toMatchObject({ at: NOW + 70_000, waiting: 2 })
  })

  test('counts a step in the hour in which it happens', async () => {
    const figures = create('i1')
    figures.shown('default')
    now += HOUR
    figures.shown('default')
    await figures.save()
    const hours = await store.console.hourly(0, NOW + 2 * HOUR, undefined)
    expect(hours.map(({ hour, shown }) => [hour, shown])).toEqual([
      [NOW - 60_000, 1],
      [NOW - 60_000 + HOUR, 1],
    ])
  })
})
