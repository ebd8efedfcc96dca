import { describe, expect, test } from 'vitest'
import { createGate } from '../../demo/faulty-proxy.ts'
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
  test('is the store behind it while it is up', async () => {
    const { flaky } = await setStore()
    expect((await flaky.write((tx) => tx.userOf(lin))).version).toBe(0)
    expect(await flaky.user(lin)).toMatchObject({ identity: lin, binding: null })
    await flaky.close()
  })

  test('answers nothing while it is down, and again after it', async () => {
    const { flaky, set } = await setStore()
    set('down')
    for (const asked of [flaky.user(lin), flaky.ping(), flaky.write((tx) => tx.userOf(lin)), flaky.outbox.nextAt([])]) {
      await expect(asked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    set('up')
    await flaky.ping()
    await flaky.close()
  })

  test('answers 3 s late while it is slow', async () => {
    const { flaky, set, time } = await setStore()
    set('slow')
    let answered = false
    const asked = flaky.ping().then(() => {
      answered = true
    })
    await time.advance(2_999)
    expect(answered).toBe(false)
    await time.advance(1)
    await asked
    await flaky.close()
  })
})

describe('createGate', () => {
  const answer = async () => new Response('ok')

  test('lets pass, holds back for 3 s, and answers 502', async () => {
    const time = createFakeClock()
    const gate = createGate({ delay: time.delay, signal })
    expect((await gate.pass(answer)).status).toBe(200)
    gate.set('slow')
    const late = gate.pass(answer)
    await time.advance(2_999)
    expect(time.waiting()).toBe(1)
    await time.advance(1)
    expect((await late).status).toBe(200)
    gate.set('down')
    expect((await gate.pass(answer)).status).toBe(502)
    gate.set('up')
    expect((await gate.pass(answer)).status).toBe(200)
  })
})
