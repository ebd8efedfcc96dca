import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { QrcodeView } from '../../server/wire.ts'
import { BindController } from '../../widget/bind-controller.ts'
import { BindError } from '../../widget/bind-error.ts'
import { restoreBrowser, setOnline, setVisible } from './support/browser.ts'
import { createFakeClient } from './support/fake-client.ts'
import { createFakeClock, type FakeClock, settle } from './support/fake-clock.ts'
import { createFakeHost, type FakeHost } from './support/fake-host.ts'

const qr = { size: 25, path: 'M0 0h1v1h-1z' }
const ticket = { state: 'unbound', url: 'u', qr, code: 'ABCD2345', expiresIn: 120, version: 1 } satisfies QrcodeView
const bound = { state: 'bound', boundAt: 1_700_000_000, version: 2 } as const
const down = new BindError('STORE_UNAVAILABLE', 'down', { retryable: true })

let host: FakeHost
let clock: FakeClock
let client: ReturnType<typeof createFakeClient>
let controller: BindController

beforeEach(() => {
  host = createFakeHost()
  clock = createFakeClock()
  client = createFakeClient()
  controller = new BindController(host, client, clock)
})

afterEach(() => {
  controller.hostDisconnected()
  host.remove()
  restoreBrowser()
})

async function start(): Promise<void> {
  controller.hostConnected()
  controller.dispatch({ type: 'start' })
  await settle()
}

async function showQr(): Promise<void> {
  await start()
  client.last.resolve(ticket)
  await settle()
}

function remove(): void {
  controller.hostDisconnected()
  host.remove()
}

function expectNothingPending(): void {
  expect(clock.sleeps).toEqual([])
  expect(client.last.signal.aborted).toBe(true)
}

describe('BindController', () => {
  test('asks for a QR, then waits for its version to pass', async () => {
    await showQr()
    expect(client.asked).toEqual(['create', 'wait 1'])
    client.last.resolve(bound)
    await settle()
    expect(host.names).toEqual(['loading', 'ready', 'bound'])
    expect(client.asked).toHaveLength(2)
  })

  test('starts by itself once it is on screen, and not while the page wants a click', async () => {
    Object.assign(host, { manual: true })
    controller.hostConnected()
    await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    expect(client.asked).toEqual([])
    Object.assign(host, { manual: false })
    controller.hostUpdate()
    await settle()
    expect(client.asked).toEqual(['create'])
  })

  test('tries again after a growing pause', async () => {
    await start()
    client.last.reject(down)
    await settle()
    expect(clock.sleeps).toEqual([500])
    await clock.advance(500)
    client.last.reject(down)
    await settle()
    expect(clock.sleeps).toEqual([1000])
    await clock.advance(1000)
    client.last.resolve(ticket)
    await settle()
    expect(controller.state.name).toBe('ready')
  })

  test('gives up after four retries and tells why', async () => {
    await start()
    for (let attempt = 0; attempt < 5; attempt++) {
      client.last.reject(down)
      await settle()
      await clock.advance(30_000)
    }
    expect(controller.state).toMatchObject({ name: 'error', error: { code: 'STORE_UNAVAILABLE' } })
    expect(client.asked).toHaveLength(5)
  })

  test('drops the answer of a request it has given up', async () => {
    await showQr()
    const given = client.last
    controller.dispatch({ type: 'refresh' })
    given.resolve(bound)
    await settle()
    expect(given.signal.aborted).toBe(true)
    expect(controller.state.name).toBe('loading')
    expect(client.asked.at(-1)).toBe('replace')
  })

  test('ends the QR on time and makes a new one three times, then leaves it to a click', async () => {
    await showQr()
    for (let renewal = 0; renewal < 3; renewal++) {
      await clock.advance(120_000)
      expect(controller.state.name).toBe('loading')
      client.last.resolve(ticket)
      await settle()
    }
    await clock.advance(120_000)
    expect(controller.state.name).toBe('expired')
    expect(clock.sleeps).toEqual([])
  })

  test('makes no new QR unasked when the page wants none', async () => {
    host.refreshMode = 'manual'
    await showQr()
    await clock.advance(120_000)
    expect(controller.state.name).toBe('expired')
  })

  test('counts the seconds down for the eye', async () => {
    await showQr()
    expect(controller.secondsLeft).toBe(120)
    await clock.advance(1500)
    expect(controller.secondsLeft).toBe(119)
  })

  test('lets a QR of a month live a month', async () => {
    await start()
    client.last.resolve({ ...ticket, expiresIn: 2_592_000 })
    await settle()
    await clock.advance(2_591_000_000)
    expect(controller.state.name).toBe('ready')
  })

  test('begins nothing while hidden, and asks at once when looked at', async () => {
    await showQr()
    setVisible(false)
    client.last.resolve(null)
    await clock.advance(5000)
    expect(client.asked).toEqual(['create', 'wait 1'])
    setVisible(true)
    await settle()
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 1'])
  })

  test('asks for no QR in a page opened in the background', async () => {
    setVisible(false)
    await start()
    expect(client.asked).toEqual([])
    setVisible(true)
    await settle()
    expect(client.asked).toEqual(['create'])
  })

  test('makes a fresh poll of a parked one when looked at again', async () => {
    await showQr()
    const parked = client.last
    setVisible(false)
    setVisible(true)
    await settle()
    expect(parked.signal.aborted).toBe(true)
    expect(client.asked.at(-1)).toBe('wait 1')
  })

  test('has no QR left when it ended out of sight, and makes one when looked at', async () => {
    await showQr()
    setVisible(false)
    await clock.advance(120_000)
    expect(controller.state.name).toBe('expired')
    setVisible(true)
    await settle()
    expect(controller.state.name).toBe('loading')
  })

  test('forgets its failures when looked at again', async () => {
    await showQr()
    client.last.reject(down)
    await settle()
    expect(clock.sleeps).toContain(500)
    setVisible(false)
    setVisible(true)
    await settle()
    expect(clock.sleeps).not.toContain(500)
    expect(client.asked.at(-1)).toBe('wait 1')
  })

  test('asks at once when the browser brings the page back from its cache', async () => {
    await showQr()
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    await settle()
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 1'])
  })

  test('covers the QR while there is no network, and asks for it again after', async () => {
    await showQr()
    setOnline(false)
    expect(controller.state.name).toBe('offline')
    expectNothingPending()
    setOnline(true)
    client.last.resolve(ticket)
    await settle()
    expect(controller.state.name).toBe('ready')
    expect(client.asked).toEqual(['create', 'wait 1', 'create', 'wait 1'])
  })

  test('is offline when a request fails for want of a network', async () => {
    setOnline(false)
    await start()
    client.last.reject(new BindError('NETWORK', 'no', { retryable: true }))
    await settle()
    expect(controller.state.name).toBe('offline')
  })

  test('listens on after success when told to watch', async () => {
    host.watch = true
    await showQr()
    client.last.resolve(bound)
    await settle()
    expect(client.asked.at(-1)).toBe('wait 2')
    host.watch = false
    controller.hostUpdate()
    expectNothingPending()
  })

  test('has nothing pending once removed, whatever it was doing', async () => {
    await start()
    remove()
    expectNothingPending()

    document.body.append(host)
    controller.hostConnected()
    await settle()
    client.last.resolve(ticket)
    await settle()
    remove()
    expectNothingPending()
  })

  test('sleeps no more once removed', async () => {
    await start()
    client.last.reject(down)
    await settle()
    remove()
    expect(clock.sleeps).toEqual([])
    await clock.advance(30_000)
    expect(client.asked).toEqual(['create'])
  })

  test('goes on where it was when it is put back', async () => {
    await showQr()
    remove()
    document.body.append(host)
    controller.hostConnected()
    await settle()
    expect(controller.state.name).toBe('ready')
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 1'])
  })

  test('is deaf to the page once removed', async () => {
    await showQr()
    remove()
    setVisible(false)
    setVisible(true)
    setOnline(false)
    await settle()
    expect(controller.state.name).toBe('ready')
    expect(client.asked).toHaveLength(2)
  })

  test('tells its steps in order when a listener asks for another', async () => {
    const told: string[] = []
    host.stateChanged = (state, previous) => {
      if (state.name === 'loading' && previous.name === 'idle') controller.dispatch({ type: 'stop' })
      told.push(`${previous.name} > ${state.name}`)
    }
    await start()
    expect(told).toEqual(['idle > loading', 'loading > idle'])
  })
})
