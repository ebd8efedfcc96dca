import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BindError } from '../../../server/errors.ts'
import { createUnionidFetcher } from '../../../server/outbound/unionid-fetcher.ts'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import type { Change, Store } from '../../../server/store/store.ts'
import type { WechatApi } from '../../../server/wechat/api.ts'
import { addUser, bindTo, newBinding } from '../../support/rows.ts'
import { createTestLog, openTestServer } from '../../support/test-server.ts'

const BOUND: Change[] = [{ type: 'bind', user: 1, binding: newBinding('o'), reason: 'scan', at: 0 }]

const identityOf = (i: number) => ({ tenant: 'default', account: 'acme', userId: `u${i}` })

let store: Store
beforeEach(async () => {
  store = await openSqliteStore({ file: ':memory:', hashOf: (...parts) => parts.join(), hasWebhook: () => false })
})
afterEach(() => store.close())

async function bindUsers(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await bindTo(store, await addUser(store, identityOf(i)), `o${i}`)
}

const unionidOf = async (i: number) => (await store.user(identityOf(i))).binding?.unionid

const refused = async () => {
  throw new BindError('WECHAT_FORBIDDEN', 'no batch')
}

const toInfo = (unionid: string | undefined) => ({ unionid, isFollower: true })

/** A fetcher with a fake WeChat: `answer` serves single calls, `batch` serves `getUserInfos`. Pauses end at once. */
function open(answer: (openid: string) => string | undefined, batch: WechatApi['getUserInfos'] = refused) {
  const asked: string[] = []
  const figures = { underway: 0, most: 0 }
  const pauses: number[] = []
  let now = Date.now() + 1
  const wechat = {
    async getUserInfo(openid: string) {
      asked.push(openid)
      figures.most = Math.max(figures.most, ++figures.underway)
      await new Promise(setImmediate)
      figures.underway--
      return toInfo(answer(openid))
    },
    getUserInfos: batch,
  } as WechatApi
  const unionids = createUnionidFetcher({
    store,
    wechat,
    clock: () => now,
    setTimer(end, ms) {
      pauses.push(ms)
      queueMicrotask(end)
      return () => {}
    },
    log: createTestLog(),
  })
  return {
    unionids,
    asked,
    figures,
    pauses,
    async aMinuteLater() {
      now += 60_000
      unionids.fetchDue()
      await unionids.idle()
    },
  }
}

describe('createUnionidFetcher', () => {
  test('fetches a hundred unionids per call, with a pause after a full batch', async () => {
    await bindUsers(250)
    const calls: string[][] = []
    const { unionids, asked, pauses, aMinuteLater } = open(
      () => undefined,
      async (openids) => {
        calls.push(openids)
        return openids.map((openid) => toInfo(openid === 'o3' ? undefined : `u-${openid}`))
      },
    )
    unionids.follow(BOUND)
    await unionids.idle()
    await aMinuteLater()
    expect(calls.map(({ length }) => length)).toEqual([100, 100, 50])
    expect(new Set(calls.flat()).size).toBe(250)
    expect(pauses).toEqual([250, 250])
    expect(asked).toEqual([])
    expect([await unionidOf(0), await unionidOf(3), await unionidOf(249)]).toEqual(['u-o0', null, 'u-o249'])
  })

  test('fetches a single unionid with `user/info`', async () => {
    await bindUsers(1)
    const { unionids, asked } = open(() => 'u')
    unionids.follow(BOUND)
    await unionids.idle()
    expect(asked).toEqual(['o0'])
  })

  test('makes single calls when WeChat refuses the batch: four at a time, one per user', async () => {
    await bindUsers(50)
    const { unionids, asked, figures, aMinuteLater } = open((openid) => (openid === 'o3' ? undefined : `u-${openid}`))
    unionids.follow(BOUND)
    await unionids.idle()
    expect(figures.most).toBe(4)
    expect([await unionidOf(0), await unionidOf(3), await unionidOf(49)]).toEqual(['u-o0', null, 'u-o49'])
    await aMinuteLater()
    expect(asked.sort()).toEqual(Array.from({ length: 50 }, (_, i) => `o${i}`).sort())
  })

  test('fetches at the start the unionids that an earlier run has not fetched', async () => {
    await bindUsers(1)
    const { unionids } = open(() => 'u')
    unionids.fetchDue()
    await unionids.idle()
    expect(await unionidOf(0)).toBe('u')
  })

  test('fetches after a minute the unionids that an earlier run has claimed but not saved', async () => {
    await bindUsers(1)
    await store.unionids.claimDue(Date.now() + 1, Date.now() + 50_000, 1)
    const { unionids, asked, aMinuteLater } = open(() => 'u')
    unionids.fetchDue()
    await unionids.idle()
    expect(asked).toEqual([])
    await aMinuteLater()
    expect(await unionidOf(0)).toBe('u')
  })

  test('makes single calls for a minute after a refused batch, then tries a batch again', async () => {
    await bindUsers(50)
    let calls = 0
    const { unionids, aMinuteLater } = open(
      () => 'u',
      async () => {
        calls++
        return refused()
      },
    )
    unionids.follow(BOUND)
    await unionids.idle()
    for (let i = 50; i < 55; i++) await bindTo(store, await addUser(store, identityOf(i)), `o${i}`)
    unionids.follow(BOUND)
    await unionids.idle()
    expect(calls).toBe(1)
    for (let i = 55; i < 60; i++) await bindTo(store, await addUser(store, identityOf(i)), `o${i}`)
    await aMinuteLater()
    expect(calls).toBe(2)
    expect([await unionidOf(49), await unionidOf(54), await unionidOf(59)]).toEqual(['u', 'u', 'u'])
  })

  test('stops when WeChat does not answer, and tries again after a minute', async () => {
    await bindUsers(50)
    let isUp = false
    const { unionids, asked, aMinuteLater } = open(() => {
      if (isUp) return 'u'
      throw new BindError('WECHAT_UNAVAILABLE', 'down')
    })
    unionids.follow(BOUND)
    await unionids.idle()
    expect(asked.length).toBeLessThanOrEqual(4)
    isUp = true
    await aMinuteLater()
    expect([await unionidOf(0), await unionidOf(49)]).toEqual(['u', 'u'])
  })

  test('fetches a binding that arrives during the last read of the queue', async () => {
    for (let turns = 0; turns < 12; turns++) {
      let looks = 0
      const { promise: looked, resolve: look } = Promise.withResolvers<void>()
      const claimDue = async () => {
        if (++looks === 1) await looked
        return []
      }
      const none = {} as WechatApi
      const deps = { wechat: none, clock: () => 0, setTimer: () => () => {}, log: createTestLog() }
      const unionids = createUnionidFetcher({ ...deps, store: { unionids: { claimDue } } as unknown as Store })
      unionids.fetchDue()
      look()
      for (let i = 0; i < turns; i++) await undefined
      const before = looks
      unionids.follow(BOUND)
      await unionids.idle()
      expect(looks).toBeGreaterThan(before)
    }
  })

  test('closes during a pause, and cancels the timer', async () => {
    await bindUsers(101)
    const { promise: paused, resolve: pause } = Promise.withResolvers<void>()
    const wechat = { getUserInfos: async (openids: string[]) => openids.map(() => toInfo('u')) } as WechatApi
    let timers = 0
    const setTimer = () => {
      timers++
      pause()
      return () => void timers--
    }
    const unionids = createUnionidFetcher({
      store,
      wechat,
      clock: () => Date.now() + 1,
      setTimer,
      log: createTestLog(),
    })
    unionids.fetchDue()
    await paused
    await unionids.close()
    expect(timers).toBe(0)
    expect(await unionidOf(100)).toBe(null)
  })

  test('makes no further call after close, and saves the answers received', async () => {
    await bindUsers(50)
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const { unionids, asked } = open(() => {
      begin()
      return 'u'
    })
    unionids.follow(BOUND)
    await begun
    await unionids.close()
    expect(asked.length).toBeLessThanOrEqual(8)
    expect(await unionidOf(Number(asked[0]!.slice(1)))).toBe('u')
  })

  test('fetches nothing without a new binding, or after close', async () => {
    await bindUsers(1)
    const { unionids, asked } = open(() => 'u')
    unionids.follow([{ type: 'unbind', user: 1, reason: 'chat', at: 0 }])
    await unionids.close()
    unionids.follow(BOUND)
    await unionids.idle()
    expect(asked).toEqual([])
  })
})

describe('openApp', () => {
  test('fetches missing unionids each minute, even without a new binding', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const testServer = await openTestServer({}, { account: { hasUnionid: true } })
      const url = await testServer.ticketUrl()
      testServer.simulator.faults.fail('/cgi-bin/user/info', 45009)
      const amy = testServer.phone('amy')
      await amy.scan(url)
      await amy.follow()
      await testServer.deps.unionids.idle()
      expect(await testServer.bindInfo()).toMatchObject({ IsBound: true, UnionId: null })
      testServer.time.advance(60_000)
      vi.advanceTimersByTime(60_000)
      await testServer.deps.unionids.idle()
      expect((await testServer.bindInfo()).UnionId).toBe(amy.unionid)
      await testServer.close()
    } finally {
      vi.useRealTimers()
    }
  })
})
