import { describe, expect, test } from 'vitest'
import { createFaultyProxy } from '../../demo/faulty-proxy.ts'
import { createFlakyStore, type Health } from '../../demo/flaky-store.ts'
import { openStore } from '../../server/store/open-store.ts'
import { createFakeClock } from './fake-clock.ts'

const lin = { tenant: 'default', account: 'acme', userId: 'lin' }
const { signal } = new AbortController()

async function setStore() {
  const time = createFakeClock()
  let health: Health = 'up'
  const store = await openStore('sqlite::memory:', { hashOf: (...parts) => parts.join('|'), hasWebhook: () => false })
  const flaky = createFlakyStore(store, { health: () => health, delay: time.delay, signal })
  return { flaky, time, set: (next: Health) => (health = next) }
}

describe('createFlakyStore', () => {
  test('in the state `up`, forwards calls to the wrapped store', async () => {
    const { flaky } = await setStore()
    expect((await flaky.write((tx) => tx.userOf(lin))).version).toBe(0)
    expect(await flaky.user(lin)).toMatchObject({ identity: lin, binding: null })
    await flaky.close()
  })

  test('in the state `down`, throws; in the state `up`, works again', async () => {
    const { flaky, set } = await setStore()
    set('down')
    for (const call of [flaky.user(lin), flaky.ping(), flaky.write((tx) => tx.userOf(lin)), flaky.outbox.receivers()]) {
      await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    set('up')
    await flaky.ping()
    await flaky.close()
  })

  test('in the state `slow`, delays each answer by 3 s', async () => {
    const { flaky, set, time } = await setStore()
    set('slow')
    let isAnswered = false
    const call = flaky.ping().then(() => {
      isAnswered = true
    })
    await time.advance(2_999)
    expect(isAnswered).toBe(false)
    await time.advance(1)
    await call
    await flaky.close()
  })
})

describe('createFaultyProxy', () => {
  const answer = async () => new Response('ok')

  test('forwards requests, delays them by 3 s, or answers 502, as the condition requires', async () => {
    const time = createFakeClock()
    const proxy = createFaultyProxy({ delay: time.delay, signal })
    expect((await proxy.forward(answer)).status).toBe(200)
    proxy.set('slow')
    const late = proxy.forward(answer)
    await time.advance(2_999)
    expect(time.waiting()).toBe(1)
    await time.advance(1)
    expect((await late).status).toBe(200)
    proxy.set('down')
    expect((await proxy.forward(answer)).status).toBe(502)
    proxy.set('up')
    expect((await proxy.forward(answer)).status).toBe(200)
  })
})
