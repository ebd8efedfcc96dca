import { afterEach, describe, expect, test } from 'vitest'
import { sharedPoll } from '../../widget/shared-poll.ts'
import { until } from './support/fake-server.ts'

type View = { version: number; state: string }
type Poll = { signal: AbortSignal; answer: (view: View | null) => void; fail: (error: unknown) => void }

const bound = { version: 2, state: 'bound' }
const waiters: AbortController[] = []
let names = 0

/** Tabs of one user, each with the polls that it made itself. */
function openTab(user: string | null) {
  const polls: Poll[] = []
  const controller = new AbortController()
  waiters.push(controller)
  const waitPast = (version: number) =>
    sharedPoll<View>(user, version, controller.signal, (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<View | null>()
      polls.push({ signal, answer: resolve, fail: reject })
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise
    })
  return { polls, waitPast, close: () => controller.abort('closed') }
}

const newUser = () => `-user-${++names}`

/** How many stand in line for the user's lock, its holder included. */
async function inLine(user: string): Promise<number> {
  const { held = [], pending = [] } = await navigator.locks.query()
  return [...held, ...pending].filter(({ name }) => name?.endsWith(user)).length
}

async function untilInLine(user: string, count: number): Promise<void> {
  while ((await inLine(user)) !== count) await new Promise((resolve) => setTimeout(resolve))
}

describe('sharedPoll', () => {
  afterEach(() => {
    for (const waiter of waiters.splice(0)) waiter.abort('over')
  })

  test('lets one ask and tells all', async () => {
    const user = newUser()
    const tabs = [openTab(user), openTab(user), openTab(user)]
    const views = tabs.map((tab) => tab.waitPast(1))
    await untilInLine(user, 3)
    const polls = tabs.flatMap((tab) => tab.polls)
    expect(polls).toHaveLength(1)
    polls[0]?.answer(bound)
    expect(await Promise.all(views)).toEqual([bound, bound, bound])
    await untilInLine(user, 0)
  })

  test('goes on in another tab when the one that asks is closed', async () => {
    const user = newUser()
    const [first, second] = [openTab(user), openTab(user)]
    const lost = first.waitPast(1)
    await untilInLine(user, 1)
    const view = second.waitPast(1)
    await untilInLine(user, 2)
    expect(second.polls).toHaveLength(0)
    first.close()
    await expect(lost).rejects.toBe('closed')
    await until(() => second.polls.length === 1)
    second.polls[0]?.answer(bound)
    expect(await view).toEqual(bound)
  })

  test("keeps one tab's failure to itself", async () => {
    const user = newUser()
    const [first, second] = [openTab(user), openTab(user)]
    const lost = first.waitPast(1)
    await untilInLine(user, 1)
    const view = second.waitPast(1)
    await untilInLine(user, 2)
    first.polls[0]?.fail(new Error('token'))
    await expect(lost).rejects.toThrow('token')
    await until(() => second.polls.length === 1)
    second.polls[0]?.answer(bound)
    expect(await view).toEqual(bound)
  })

  test('leaves the lock to a tab that missed what was told before it came', async () => {
    const user = newUser()
    const [ahead, behind] = [openTab(user), openTab(user)]
    const given = ahead.waitPast(2)
    await untilInLine(user, 1)
    const view = behind.waitPast(1)
    expect(await given).toBe(null)
    await until(() => behind.polls.length === 1)
    behind.polls[0]?.answer(bound)
    expect(await view).toEqual(bound)
  })

  test('asks alone for another user, and for one without a name', async () => {
    const [one, other, nameless] = [openTab(newUser()), openTab(newUser()), openTab(null)]
    const views = [one, other, nameless].map((tab) => tab.waitPast(1))
    await until(() => [one, other, nameless].every((tab) => tab.polls.length === 1))
    for (const tab of [one, other, nameless]) tab.polls[0]?.answer(null)
    expect(await Promise.all(views)).toEqual([null, null, null])
  })

  test('holds no lock once it is given up', async () => {
    const user = newUser()
    const tab = openTab(user)
    const view = tab.waitPast(1)
    await untilInLine(user, 1)
    tab.close()
    await expect(view).rejects.toBe('closed')
    await untilInLine(user, 0)
    expect(tab.polls[0]?.signal.aborted).toBe(true)
  })
})
