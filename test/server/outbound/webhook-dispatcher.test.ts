import { describe, expect, test } from 'vitest'
import type { EventType, WebhookReceiver, WebhookReceivers } from '../../../server/config/webhook-receivers.ts'
import { createWebhookDispatcher } from '../../../server/outbound/webhook-dispatcher.ts'
import type { Dispatched, Outbox } from '../../../server/store/outbox.ts'

const NOW = 1_700_000_000_000

type Route = Parameters<Outbox['dispatch']>[1]

const receiver = (name: string, types?: EventType[]): WebhookReceiver => ({
  name,
  url: 'http://x.test',
  secrets: [],
  types,
})

/** A dispatcher over an outbox that records its calls and gives the lease while `isHolder` is true. */
function open(receivers: WebhookReceiver[] = [receiver('one')]) {
  const given = {
    now: NOW,
    isHolder: true,
    dispatched: { receivers: [], isMore: false, heldUntil: undefined } as Dispatched,
  }
  const calls: string[] = []
  const routes: Route[] = []
  const limits: number[] = []
  const { close, ...dispatcher } = createWebhookDispatcher({
    outbox: {
      async dispatch(_, route, limit) {
        calls.push('dispatch')
        routes.push(route)
        limits.push(limit)
        return given.dispatched
      },
      async lease(_, now, until) {
        calls.push(`lease for ${until - now}`)
        return given.isHolder
      },
      async release() {
        throw new Error('the store is down')
      },
    },
    webhooks: () => ({ all: receivers, of: () => receivers }) as unknown as WebhookReceivers,
    clock: () => given.now,
    holder: 'a',
  })
  const pass = (ms: number) => {
    given.now += ms
    return dispatcher.dispatch()
  }
  return { ...dispatcher, close, pass, given, calls, routes, limits }
}

describe('createWebhookDispatcher', () => {
  test('reads the outbox once a second, and at once after a wake', async () => {
    const { pass, wake, nextAt, calls } = open()
    await pass(0)
    await pass(999)
    expect(calls).toEqual(['lease for 10000', 'dispatch'])
    expect(nextAt()).toBe(NOW + 1_000)
    await pass(1)
    wake()
    await pass(1)
    expect(calls.filter((call) => call === 'dispatch')).toHaveLength(3)
  })

  test('renews its lease after half of its time', async () => {
    const { pass, calls } = open()
    for (let second = 0; second <= 5; second++) await pass(second === 0 ? 0 : 1_000)
    expect(calls.filter((call) => call.startsWith('lease'))).toHaveLength(2)
  })

  test('moves no event to the receivers while another instance has the lease, and asks for the lease every second', async () => {
    const { pass, given, calls } = open()
    given.isHolder = false
    for (let second = 0; second < 3; second++) await pass(1_000)
    expect(calls).toEqual(Array(3).fill('lease for 10000'))
    given.isHolder = true
    await pass(1_000)
    expect(calls.at(-1)).toBe('dispatch')
  })

  test('reads again at once if there are more events to move, and after 200 ms if an event waits for its unionid', async () => {
    const { pass, nextAt, given } = open()
    given.dispatched = { receivers: ['one'], isMore: true, heldUntil: NOW + 3_000 }
    expect(await pass(0)).toEqual({ receivers: ['one'], isMore: true })
    expect(nextAt()).toBe(0)
    given.dispatched = { receivers: [], isMore: false, heldUntil: NOW + 3_000 }
    await pass(0)
    expect(nextAt()).toBe(NOW + 200)
    given.dispatched = { receivers: [], isMore: false, heldUntil: NOW + 300 }
    await pass(250)
    expect(nextAt()).toBe(NOW + 300)
  })

  test('continues after the clock has been set back', async () => {
    const { pass, calls } = open()
    await pass(0)
    await pass(-3_600_000)
    expect(calls.filter((call) => call === 'dispatch')).toHaveLength(2)
  })

  test('names the receivers of a tenant that want the type of the event', async () => {
    const { pass, routes } = open([receiver('all'), receiver('unbinds', ['binding.unbound'])])
    await pass(0)
    expect(routes[0]?.('default', 'bound')).toEqual(['all'])
    expect(routes[0]?.('default', 'unbound')).toEqual(['all', 'unbinds'])
  })

  test('adds at most 512 rows in a transaction, whatever the number of receivers', async () => {
    const limits = async (count: number) => {
      const { pass, limits } = open(Array.from({ length: count }, (_, i) => receiver(`r${i}`)))
      await pass(0)
      return limits[0]
    }
    expect([await limits(0), await limits(1), await limits(50), await limits(1_000)]).toEqual([512, 512, 11, 1])
  })

  test('closes even if the store cannot release the lease', async () => {
    await expect(open().close()).resolves.toBeUndefined()
  })
})
