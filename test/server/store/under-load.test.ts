/** While many changes are committed, a list of bindings is complete and the feed skips no event. On both engines. */
import { describe, expect, test } from 'vitest'
import { positionOf, type WalkPosition } from '../../../server/store/binding-walk.ts'
import type { BindingEvent, FeedPosition } from '../../../server/store/event-feed.ts'
import { openPostgresStore } from '../../../server/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { Identity, Store } from '../../../server/store/store.ts'
import { newMigratedDatabase } from '../../support/databases.ts'
import { newGate, PAUSE } from '../../support/postgres.ts'
import { newBinding } from '../../support/rows.ts'

const settings = { hashOf: (...parts: string[]) => parts.join('|'), hasWebhook: () => false }

/** Opens two instances on PostgreSQL, and one store on SQLite, which is returned twice. */
const openBoth = {
  async sqlite(): Promise<[Store, Store]> {
    const store = await openSqliteStore({ file: ':memory:', ...settings })
    return [store, store]
  },
  async postgres(): Promise<[Store, Store]> {
    const url = await newMigratedDatabase()
    return [await openPostgresStore({ url, ...settings }), await openPostgresStore({ url, ...settings })]
  },
}

const identityOf = (userId: string): Identity => ({ tenant: 'default', account: 'acme', userId })

/** Binds the user, which adds one event. `more` runs before the commit. */
const bind = (store: Store, userId: string, openid = `o-${userId}`, more: object[] = []) =>
  store.write(function* (tx) {
    const user = yield* tx.ensureUser(identityOf(userId))
    yield* tx.apply({ type: 'bind', user, binding: newBinding(openid), reason: 'scan', at: Date.now() })
    for (const statement of more) yield statement as typeof PAUSE
    return user
  })

const closeBoth = ([one, other]: [Store, Store]) =>
  Promise.all(one === other ? [one.close()] : [one.close(), other.close()])

// On PostgreSQL 1,200 changes take 5 s on a busy machine.
const CHANGES = { sqlite: 10_000, postgres: 1_200 }
const CHANGES_A_UNIT = 20

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  test('each of 20 complete lists has every unchanged binding exactly once, during thousands of binds, unbinds and moves', async () => {
    const stores = await openBoth[engine]()
    const standing = new Set(Array.from({ length: 300 }, (_, i) => `stands${i}`))
    await Promise.all([...standing].map((name) => bind(stores[0], name)))
    const users = await Promise.all(Array.from({ length: 400 }, (_, i) => bind(stores[1], `moving${i}`)))
    let isChanging = true

    async function change(store: Store, worker: number): Promise<void> {
      for (let i = 0; i < CHANGES[engine] / CHANGES_A_UNIT / 4; i++) {
        await store.write(function* (tx) {
          // Each worker has its own users, and locks them in ascending order.
          const own = users.filter((_, index) => index % 4 === worker).toSorted((a, b) => a - b)
          const start = (i * 7) % (own.length - CHANGES_A_UNIT)
          const some = own.slice(start, start + CHANGES_A_UNIT)
          yield* tx.lockUsers(some)
          for (const [j, user] of some.entries()) {
            const at = Date.now()
            const { binding } = yield* tx.userById(user)
            if (!binding) yield* tx.apply({ type: 'bind', user, binding: newBinding(`o${user}`), reason: 'scan', at })
            else if ((i + j) % 2) yield* tx.apply({ type: 'unbind', user, reason: 'chat', at })
            else
              yield* tx.apply({ type: 'moveOpenid', user, from: binding, to: { appId: 'wx2', openid: `m${at}` }, at })
          }
        })
      }
    }

    async function walk(store: Store, limit: number): Promise<string[]> {
      const names: string[] = []
      for (let after: WalkPosition | undefined; ; ) {
        const page = await store.listBindings({ tenant: 'default' }, after, limit)
        names.push(...page.map(({ identity }) => identity.userId))
        if (page.length < limit) return names
        after = positionOf(page.at(-1)!)
        // Lets other changes run between two pages, which SQLite answers in one turn.
        await new Promise(setImmediate)
      }
    }

    const changing = Promise.all([0, 1, 2, 3].map((worker) => change(stores[worker % 2]!, worker))).finally(() => {
      isChanging = false
    })
    let during = 0
    for (let i = 0; i < 20; i++) {
      const names = await walk(stores[i % 2]!, [7, 50, 500][i % 3]!)
      if (isChanging) during++
      // Users that were bound again meanwhile may be listed twice, because these are two bindings.
      expect(names.filter((name) => standing.has(name)).toSorted()).toEqual([...standing].toSorted())
    }
    await changing
    expect(during).toBeGreaterThan(0)
    await closeBoth(stores)
  })

  test('two readers of the feed get every event, and the events of each user in order, while events are written', async () => {
    const stores = await openBoth[engine]()
    const readers = [newReader(stores[0]), newReader(stores[1])]
    let isWriting = true
    const write = async (store: Store, worker: number) => {
      for (let i = 0; i < 30; i++) {
        await Promise.all(Array.from({ length: 8 }, (_, j) => bind(store, `w${worker}-${j}`, `o${worker}-${j}-${i}`)))
      }
    }
    const writing = Promise.all([0, 1, 2, 3].map((worker) => write(stores[worker % 2]!, worker))).finally(() => {
      isWriting = false
    })
    const following = readers.map(async (reader) => {
      while (isWriting) {
        await reader.read(17)
        await new Promise(setImmediate)
      }
      while (await reader.read(500));
    })
    await Promise.all([writing, ...following])
    for (const { seen } of readers) {
      expect(seen.length).toBe(4 * 8 * 30)
      expectInOrder(seen)
    }
    await closeBoth(stores)
  })
})

test('a reader of the feed gets an event with a smaller id that is committed after later events, at either instance', async () => {
  const url = await newMigratedDatabase()
  const stores = [await openPostgresStore({ url, ...settings }), await openPostgresStore({ url, ...settings })] as const
  const readers = [newReader(stores[0]), newReader(stores[1])]
  for (let round = 0; round < 6; round++) {
    const [held, other] = [stores[round % 2]!, stores[(round + 1) % 2]!]
    const gate = await newGate(url)
    const committing = bind(held, `held${round}`, `h${round}`, [PAUSE])
    await gate.isReachedBy(1)
    for (const name of ['a', 'b']) await bind(other, name, `${name}${round}`)
    for (const reader of readers) while (await reader.read(1));
    expect(readers[0]!.seen.some(({ identity }) => identity.userId === `held${round}`)).toBe(false)
    await gate.open()
    await committing
    for (const reader of readers) while (await reader.read(2));
  }
  for (const { seen } of readers) {
    expect(seen.length).toBe(6 * 3)
    expect(new Set(seen.map(({ uid }) => uid)).size).toBe(seen.length)
    expectInOrder(seen)
  }
  await Promise.all(stores.map((store) => store.close()))
})

function newReader(store: Store) {
  const seen: BindingEvent[] = []
  let after: FeedPosition | undefined
  return {
    seen,
    /** Reads a page. Returns whether there may be more. */
    async read(limit: number): Promise<boolean> {
      const page = await store.events({ tenant: 'default', after, limit })
      if (page === 'gone') throw new Error('the events are gone')
      seen.push(...page.events)
      after = page.next
      return page.events.length > 0
    },
  }
}

function expectInOrder(seen: BindingEvent[]): void {
  for (const [user, events] of Map.groupBy(seen, ({ identity }) => identity.userId)) {
    const versions = events.map(({ version }) => version)
    expect(versions, user).toEqual(versions.map((_, i) => i + 1))
  }
}
