/** The tests of what the store keeps for the console, which every engine must pass. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CountedFigures, Figures, UserPlace } from '../../../server/store/console-store.ts'
import type { Committed, Identity, Store } from '../../../server/store/store.ts'
import { addUser, newBinding } from '../../support/rows.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const THIS_HOUR = NOW - (NOW % HOUR)

const identityOf = (userId: string, tenant = 'default', account = 'acme'): Identity => ({ tenant, account, userId })

const figuresOf = (more: Partial<Figures> = {}): Figures => ({
  hour: THIS_HOUR,
  tenant: 'default',
  shown: 0,
  scanned: 0,
  confirmed: 0,
  bound: 0,
  unbound: 0,
  took: Array(14).fill(0),
  ...more,
})

export function consoleContract(makeStore: () => Promise<Store>) {
  describe('the store of the console', () => {
    let store: Store
    beforeEach(async () => {
      store = await makeStore()
    })
    afterEach(() => store.close())

    async function bind(identity: Identity, openid: string, boundAt = NOW, unionid: string | null = null) {
      const user = await addUser(store, identity, Object.values(identity).join('-'))
      const binding = { ...newBinding(openid), boundAt, unionid }
      await store.write((tx) =>
        tx.apply({ type: 'bind', user, binding, reason: 'scan', at: boundAt, shownAt: boundAt - 7_000 }),
      )
      return user
    }

    /** All pages of a search, as user ids. */
    async function search(text: string, limit = 10, tenant?: string): Promise<string[]> {
      const found: string[] = []
      let place: UserPlace | undefined
      for (;;) {
        const page = await store.console.searchUsers({ text, tenant }, place, limit)
        found.push(...page.map(({ identity, by }) => `${identity.tenant}/${identity.account}/${identity.userId} ${by}`))
        if (page.length < limit) return found
        place = page.at(-1)!.place
      }
    }

    test('keeps a session until it ends', async () => {
      const session = { hash: 'h1', name: 'alice', tokenHash: 't', until: NOW + 1 }
      await store.console.addSession(session)
      expect(await store.console.session('h1', NOW)).toEqual(session)
      expect(await store.console.session('h1', NOW + 1)).toBeUndefined()
      await store.console.endSession('h1')
      expect(await store.console.session('h1', NOW)).toBeUndefined()
    })

    test('removes a counted attempt, so that only wrong tokens count', async () => {
      const count = () => store.countAttempt('console', 2, NOW + 60_000, NOW)
      expect([await count(), await count(), await count()]).toEqual([true, true, false])
      await store.console.refundAttempt('console')
      expect(await count()).toBe(true)
      expect(await store.console.attemptsUntil('console', NOW)).toBe(NOW + 60_000)
      expect(await store.console.attemptsUntil('console', NOW + 60_000)).toBeUndefined()
    })

    test('records an action in the transaction of its change, and erases it with the user', async () => {
      const user = await bind(identityOf('amy'), 'o1')
      await store.write(function* (tx) {
        yield* tx.apply({ type: 'unbind', user, reason: 'operator', at: NOW })
        yield* tx.apply({ type: 'recordAction', user, operator: 'alice', action: 'unbind', at: NOW })
      })
      const { version } = await store.user(identityOf('amy'))
      expect((await store.userRecord(identityOf('amy')))?.actions).toEqual([
        { id: expect.any(Number), at: NOW, operator: 'alice', action: 'unbind', version },
      ])
      await store.write((tx) => tx.apply({ type: 'erase', user, at: NOW }))
      expect((await store.userRecord(identityOf('amy')))?.actions).toEqual([])
    })

    test('reports the steps of the funnel to the listeners of its own commits', async () => {
      const notices: Committed[] = []
      store.onCommit((notice) => void (notice !== 'missed' && notices.push(notice)))
      const user = await bind(identityOf('amy'), 'o1')
      await store.write((tx) => tx.apply({ type: 'unbind', user, reason: 'chat', at: NOW }))
      expect(notices.flatMap(({ steps = [] }) => steps)).toEqual([
        { name: 'bind', reason: 'scan', tookMs: 7_000 },
        { name: 'unbind' },
      ])
    })

    test('adds the counts of all instances', async () => {
      const instance = {
        name: 'i1',
        at: NOW,
        waiting: 3,
        waitingLimit: 10,
        callbackAt: NOW,
        tokenAt: null,
        tokenUntil: null,
      }
      const counted: CountedFigures = {
        figures: [
          figuresOf({ shown: 3, bound: 1, took: [0, 1, ...Array(12).fill(0)] }),
          figuresOf({ tenant: 'b', shown: 1 }),
        ],
        errors: [{ hour: THIS_HOUR, errcode: 40164, count: 2, lastAt: NOW }],
        instance,
      }
      await store.console.addFigures(counted)
      await store.console.addFigures({ ...counted, instance: { ...instance, name: 'i2' } })
      await store.console.addFigures({
        figures: [figuresOf({ hour: THIS_HOUR - HOUR, shown: 5 })],
        errors: [],
        instance,
      })
      const until = THIS_HOUR + HOUR
      expect(await store.console.hourly(THIS_HOUR - HOUR, until, 'default')).toMatchObject([
        { hour: THIS_HOUR - HOUR, shown: 5, bound: 0 },
        { hour: THIS_HOUR, shown: 6, bound: 2, took: [0, 2, ...Array(12).fill(0)] },
      ])
      expect(await store.console.byTenant(THIS_HOUR, until, 10)).toMatchObject([
        { tenant: 'default', shown: 6 },
        { tenant: 'b', shown: 2 },
      ])
      expect(await store.console.total(THIS_HOUR - HOUR, until, undefined)).toMatchObject({ shown: 13, bound: 2 })
      expect(await store.console.total(0, 1, undefined)).toMatchObject({ shown: 0, bound: 0 })
      expect(await store.console.wechatErrors(NOW)).toEqual([{ errcode: 40164, count: 4, lastAt: NOW }])
      expect((await store.console.instances()).map(({ name, waiting }) => [name, waiting])).toEqual(
        expect.arrayContaining([
          ['i1', 3],
          ['i2', 3],
        ]),
      )
      await store.sweep(NOW + 91 * 24 * HOUR)
      expect(await store.console.total(0, until, undefined)).toMatchObject({ shown: 0 })
    })

    test('finds users by each of their ids, each page once', async () => {
      await bind(identityOf('amy'), 'o-amy', NOW, 'union-1')
      await bind(identityOf('amy2'), 'o-amy2', NOW + 1)
      await bind(identityOf('amy', 'other'), 'o-amy', NOW + 2)
      await addUser(store, identityOf('Zoe', 'default', 'beta'))
      for (const limit of [1, 2, 10]) {
        expect(await search('o-amy', limit)).toEqual(['default/acme/amy openid', 'other/acme/amy openid'])
        expect(await search('union-1', limit)).toEqual(['default/acme/amy unionid'])
        expect(await search('amy', limit)).toEqual([
          'default/acme/amy userId',
          'other/acme/amy userId',
          'default/acme/amy2 userId',
        ])
        expect(await search('acme', limit)).toEqual([
          'default/acme/amy account',
          'default/acme/amy2 account',
          'other/acme/amy account',
        ])
        expect(await search('', limit)).toEqual([
          'other/acme/amy binding',
          'default/acme/amy2 binding',
          'default/acme/amy binding',
        ])
      }
      expect(await search('acme amy2')).toEqual(['default/acme/amy2 userId'])
      expect(await search('Zoe')).toEqual(['default/beta/Zoe userId'])
      expect(await search('zoe')).toEqual([])
      expect(await search('amy', 10, 'other')).toEqual(['other/acme/amy userId'])
      expect(await search('', 10, 'other')).toEqual(['other/acme/amy binding'])
      expect(await search("100%_' or 1=1")).toEqual([])
      expect(await store.console.tenants()).toEqual(['default', 'other'])
    })

    test('finds no user that was erased', async () => {
      const user = await bind(identityOf('amy'), 'o-amy')
      await store.write(function* (tx) {
        yield* tx.apply({ type: 'unbind', user, reason: 'erased', at: NOW })
        yield* tx.apply({ type: 'erase', user, at: NOW })
      })
      expect([await search('amy'), await search('acme'), await search('o-amy')]).toEqual([[], [], []])
    })

    test('keeps the last report', async () => {
      expect(await store.console.report('doctor')).toBeUndefined()
      await store.console.saveReport('doctor', { at: 1, operator: 'a', text: '[]' })
      await store.console.saveReport('doctor', { at: 2, operator: 'b', text: '[1]' })
      expect(await store.console.report('doctor')).toEqual({ at: 2, operator: 'b', text: '[1]' })
    })

    test('reads the new events of all tenants', async () => {
      const shown = ({ events }: Awaited<ReturnType<typeof store.console.liveEvents>>) =>
        events.map(({ identity, type }) => `${identity.tenant} ${identity.userId} ${type}`)
      const nothing = await store.console.liveEvents(undefined, 2)
      expect(nothing).toEqual({ events: [], next: { newest: 0, gaps: [] } })
      await bind(identityOf('a'), 'o1')
      await bind(identityOf('b', 'other'), 'o2')
      const first = await store.console.liveEvents(nothing.next, 1)
      expect(shown(first)).toEqual(['default a bound'])
      const second = await store.console.liveEvents(first.next, 10)
      expect(shown(second)).toEqual(['other b bound'])
      expect(shown(await store.console.liveEvents(second.next, 10))).toEqual([])
      expect(shown(await store.console.liveEvents(undefined, 1))).toEqual(['other b bound'])
      expect(shown(await store.console.liveEvents({ newest: 999, gaps: [] }, 10))).toHaveLength(2)
      const late = { newest: second.next.newest, gaps: [second.next.newest - 1] }
      expect(shown(await store.console.liveEvents(late, 10))).toEqual(['default a bound'])
    })
  })
}
