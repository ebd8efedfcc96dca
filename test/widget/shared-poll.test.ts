import { afterEach, describe, expect, test } from 'vitest'
import { sharedPoll } from '../../widget/shared-poll.ts'
import { changed, until } from './support/changes.ts'

type View = { version: number; state: string }
type Poll = { signal: AbortSignal; answer: (view: View | null) => void; fail: (error: unknown) => void }

const bound = { version: 2, state: 'bound' }
const waiters: AbortController[] = []
let names = 0

/** A simulated tab of `user`. It records the polls that it has sent itself. */
function openTab(user: string | null) {
  const polls: Poll[] = []
  const controller = new AbortController()
  waiters.push(controller)
  const waitPast = (version: number) =>
    sharedPoll<View>(user, version, controller.signal, (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<View | null>()
      polls.push({ signal, answer: resolve, fail: reject })
      changed()
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise
    })
  return { polls, waitPast, close: () => controller.abort('closed') }
}

const newUser = () => `-user-${++names}`

/** Returns the number of tabs that hold the user's lock or wait for it. */
async function lockCount(user: string): Promise<number> {
  const { held = [], pending = [] } = await navigator.locks.query()
  return [...held, ...pending].filter(({ name }) => name?.endsWith(user)).length
}

/** Resolves when this request gets the user's lock. At that time no tab holds the lock or waits for it. */
const untilReleased = (user: string) => navigator.locks.request(`wechat-bind ${user}`, () => {})

describe('sharedPoll', () => {
  afterEach(() => {
    for (const waiter of waiters.splice(0)) waiter.abort('over')
  })

  test('polls in one tab and sends the result to all tabs', async () => {
    const user = newUser()
    const tabs = [openTab(user), openTab(user), openTab(user)]
    const views = tabs.map((tab) => tab.waitPast(1))
    const polls = () => tabs.flatMap((tab) => tab.polls)
    await until(() => polls().length > 0)
    expect(await lockCount(user)).toBe(3)
    expect(polls()).toHaveLength(1)
    polls()[0]?.answer(bound)
    expect(await Promise.all(views)).toEqual([bound, bound, bound])
    await untilReleased(user)
  })

  test('continues in another tab when the polling tab is closed', async () => {
    const user = newUser()
    const [first, second] = [openTab(user), openTab(user)]
    const aborted = first.waitPast(1)
    await until(() => first.polls.length === 1)
    const view = second.waitPast(1)
    expect(await lockCount(user)).toBe(2)
    expect(second.polls).toHaveLength(0)
    first.close()
    await expect(aborted).rejects.toBe('closed')
    await until(() => second.polls.length === 1)
    second.polls[0]?.answer(bound)
    expect(await view).toEqual(bound)
  })

  test('does not pass the error of one tab to the other tabs', async () => {
    const user = newUser()
    const [first, second] = [openTab(user), openTab(user)]
    const aborted = first.waitPast(1)
    await until(() => first.polls.length === 1)
    const view = second.waitPast(1)
    expect(await lockCount(user)).toBe(2)
    first.polls[0]?.fail(new Error('token'))
    await expect(aborted).rejects.toThrow('token')
    await until(() => second.polls.length === 1)
    second.polls[0]?.answer(bound)
    expect(await view).toEqual(bound)
  })

  test('releases the lock for a tab that knows an older version', async () => {
    const user = newUser()
    const [ahead, behind] = [openTab(user), openTab(user)]
    const released = ahead.waitPast(2)
    await until(() => ahead.polls.length === 1)
    const view = behind.waitPast(1)
    expect(await released).toBe(null)
    await until(() => behind.polls.length === 1)
    behind.polls[0]?.answer(bound)
    expect(await view).toEqual(bound)
  })

  test('polls separately for each user, and in each tab without a user id', async () => {
    const [one, other, nameless] = [openTab(newUser()), openTab(newUser()), openTab(null)]
    const views = [one, other, nameless].map((tab) => tab.waitPast(1))
    await until(() => [one, other, nameless].every((tab) => tab.polls.length === 1))
    for (const tab of [one, other, nameless]) tab.polls[0]?.answer(null)
    expect(await Promise.all(views)).toEqual([null, null, null])
  })

  test('releases the lock after an abort', async () => {
    const user = newUser()
    const tab = openTab(user)
    const view = tab.waitPast(1)
    await until(() => tab.polls.length === 1)
    tab.close()
    await expect(view).rejects.toBe('closed')
    await untilReleased(user)
    expect(tab.polls[0]?.signal.aborted).toBe(true)
  })
})
