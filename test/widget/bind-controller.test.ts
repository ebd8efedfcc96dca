import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { QrcodeView } from '../../server/wire.ts'
import { BindController } from '../../widget/bind-controller.ts'
import { BindError } from '../../widget/bind-error.ts'
import { restoreBrowser, setOnline, setVisible } from './support/browser.ts'
import { until } from './support/changes.ts'
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

let gone: string[]
const page = location.href

const returnWith = (fragment: string) => history.replaceState(null, '', `${page.split('#')[0]}${fragment}`)

beforeEach(() => {
  gone = []
  host = createFakeHost()
  clock = createFakeClock()
  client = createFakeClient()
  controller = new BindController(host, client, clock, (url) => gone.push(url))
})

afterEach(() => {
  controller.hostDisconnected()
  host.remove()
  restoreBrowser()
  history.replaceState(null, '', page)
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
  test('requests a QR code, then polls with the version from the answer', async () => {
    await showQr()
    expect(client.asked).toEqual(['create', 'wait 1'])
    client.last.resolve(bound)
    await settle()
    expect(host.names).toEqual(['loading', 'ready', 'bound'])
    expect(client.asked).toHaveLength(2)
  })

  test('reports an error and warns once when the page sets no token and no source of tokens within 3 s in view', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    Object.assign(host, { canStart: false })
    controller.hostConnected()
    await until(() => clock.sleeps.length > 0)
    await clock.advance(2999)
    expect(host.names).toEqual([])
    await clock.advance(1)
    expect(controller.state).toMatchObject({ name: 'error', error: { code: 'NO_TOKEN', retryable: false } })
    controller.dispatch({ type: 'start' })
    await settle()
    client.last.reject(new BindError('NO_TOKEN', 'Set token, token-url or getToken'))
    await settle()
    expect(host.names).toEqual(['error', 'loading', 'error'])
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^<wechat-bind> NO_TOKEN: Set token, token-url or getToken\. See https:\S+#problems$/)],
    ])
    warn.mockRestore()
  })

  test('reports no error when the page sets the token within 3 s', async () => {
    Object.assign(host, { canStart: false })
    controller.hostConnected()
    await until(() => clock.sleeps.length > 0)
    Object.assign(host, { canStart: true })
    controller.hostUpdate()
    expect(clock.sleeps).toEqual([])
    await settle()
    expect(client.asked).toEqual(['create'])
  })

  test('requests only the binding, and no QR code, while the dialog is closed', async () => {
    Object.assign(host, { isClosed: true })
    controller.hostConnected()
    await until(() => client.asked.length > 0)
    client.last.resolve({ state: 'unbound', version: 0 })
    await settle()
    Object.assign(host, { isClosed: false })
    controller.hostUpdate()
    await settle()
    expect(client.asked).toEqual(['look', 'create'])
  })

  test('mentions a refused scan for 60 s', async () => {
    await showQr()
    client.last.resolve({ state: 'unbound', version: 2, notice: 'conflict' })
    await settle()
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 2'])
    await clock.advance(59_999)
    expect(controller.notice).toBe('conflict')
    await clock.advance(1)
    expect(controller.notice).toBeUndefined()
    expect(controller.state.name).toBe('ready')
  })

  test('opens WeChat after a click, sends the URL of the page without a proof, and becomes ready again', async () => {
    await start()
    client.last.resolve({ ...ticket, oauth: true })
    await settle()
    controller.dispatch({ type: 'authorize' })
    await settle()
    expect(client.asked.slice(1)).toEqual(['wait 1', `authorize ${location.href}`])
    client.last.resolve('https://open.test/')
    await clock.advance(2000)
    expect(gone).toEqual(['https://open.test/'])
    expect(controller.state).toMatchObject({ name: 'ready', isLeaving: undefined })
    expect(client.asked.at(-1)).toBe('wait 1')
  })

  test('does not open WeChat if the page removes the element during the request', async () => {
    await start()
    client.last.resolve({ ...ticket, oauth: true })
    await settle()
    controller.dispatch({ type: 'authorize' })
    await settle()
    const { resolve } = client.last
    remove()
    resolve('https://open.test/')
    await settle()
    expect(gone).toEqual([])
  })

  test('sends the proof from the URL to the server, even if the element is not in view', async () => {
    host.style.display = 'none'
    returnWith('#/account?wechat-bind=PROOF')
    controller.hostConnected()
    expect(location.hash).toBe('#/account')
    await until(() => client.asked.length > 0)
    client.last.resolve({ ...bound, state: 'bound' })
    await settle()
    expect(client.asked).toEqual(['prove PROOF'])
    expect(controller.state).toMatchObject({ name: 'bound', initial: false })
  })

  test('sends the proof once, even if the page moves the element during the request', async () => {
    returnWith('#wechat-bind=PROOF')
    controller.hostConnected()
    await until(() => client.asked.length > 0)
    controller.hostDisconnected()
    controller.hostConnected()
    await settle()
    expect(client.asked).toEqual(['prove PROOF'])
    client.last.resolve(bound)
    await settle()
    expect(controller.state).toMatchObject({ name: 'bound', initial: false })
  })

  test('sends the proof as soon as the page sets the token, and requests no QR code', async () => {
    Object.assign(host, { canStart: false })
    returnWith('#wechat-bind=PROOF')
    controller.hostConnected()
    await until(() => clock.sleeps.length > 0)
    expect(location.hash).toBe('')
    Object.assign(host, { canStart: true })
    controller.hostUpdate()
    await settle()
    expect(client.asked).toEqual(['prove PROOF'])
  })

  test('reports the error code of the authorization from the URL', async () => {
    returnWith('#wechat-bind-error=DECLINED')
    controller.hostConnected()
    await until(() => host.names.length > 0)
    expect(controller.state).toMatchObject({ name: 'error', error: { code: 'DECLINED' } })
    expect(client.asked).toEqual([])
  })

  test('starts when the element is scrolled into view, but not while `manual` is set', async () => {
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

  test('retries a failed request after increasing pauses', async () => {
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

  test('displays an error after four retries', async () => {
    await start()
    for (let attempt = 0; attempt < 5; attempt++) {
      client.last.reject(down)
      await settle()
      await clock.advance(30_000)
    }
    expect(controller.state).toMatchObject({ name: 'error', error: { code: 'STORE_UNAVAILABLE' } })
    expect(client.asked).toHaveLength(5)
  })

  test('ignores the response of an aborted request', async () => {
    await showQr()
    const given = client.last
    controller.dispatch({ type: 'refresh' })
    given.resolve(bound)
    await settle()
    expect(given.signal.aborted).toBe(true)
    expect(controller.state.name).toBe('loading')
    expect(client.asked.at(-1)).toBe('replace')
  })

  test('replaces an expired QR code three times, then waits for a click', async () => {
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

  test('with refresh="manual", does not replace an expired QR code', async () => {
    host.refreshMode = 'manual'
    await showQr()
    await clock.advance(120_000)
    expect(controller.state.name).toBe('expired')
  })

  test('counts down the seconds', async () => {
    await showQr()
    expect(controller.secondsLeft).toBe(120)
    await clock.advance(1500)
    expect(controller.secondsLeft).toBe(119)
  })

  test('displays a QR code with a lifetime of a month until the QR code expires', async () => {
    await start()
    client.last.resolve({ ...ticket, expiresIn: 2_592_000 })
    await settle()
    await clock.advance(2_591_000_000)
    expect(controller.state.name).toBe('ready')
  })

  test('sends no requests while the tab is hidden, and polls at once when the tab becomes visible', async () => {
    await showQr()
    setVisible(false)
    client.last.resolve(null)
    await clock.advance(5000)
    expect(client.asked).toEqual(['create', 'wait 1'])
    setVisible(true)
    await settle()
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 1'])
  })

  test('requests no QR code on a page that was opened in the background', async () => {
    setVisible(false)
    await start()
    expect(client.asked).toEqual([])
    setVisible(true)
    await settle()
    expect(client.asked).toEqual(['create'])
  })

  test('aborts the running poll and starts a new one when the page becomes visible again', async () => {
    await showQr()
    const parked = client.last
    setVisible(false)
    setVisible(true)
    await settle()
    expect(parked.signal.aborted).toBe(true)
    expect(client.asked.at(-1)).toBe('wait 1')
  })

  test('requests a new QR code when the page becomes visible after the old QR code has expired', async () => {
    await showQr()
    setVisible(false)
    await clock.advance(120_000)
    expect(controller.state.name).toBe('expired')
    setVisible(true)
    await settle()
    expect(controller.state.name).toBe('loading')
  })

  test('resets the failure count when the page becomes visible again', async () => {
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

  test('polls at once when the browser restores the page from its back/forward cache', async () => {
    await showQr()
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    await settle()
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 1'])
  })

  test('hides the QR code while the browser is offline, and requests the QR code again when the browser is online', async () => {
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

  test('becomes offline when a request fails without a network', async () => {
    setOnline(false)
    await start()
    client.last.reject(new BindError('NETWORK', 'no', { retryable: true }))
    await settle()
    expect(controller.state.name).toBe('offline')
  })

  test('keeps polling after a binding when `watch` is set', async () => {
    host.watch = true
    await showQr()
    client.last.resolve(bound)
    await settle()
    expect(client.asked.at(-1)).toBe('wait 2')
    host.watch = false
    controller.hostUpdate()
    expectNothingPending()
  })

  test('has no pending request or timer after the element is removed in any state', async () => {
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

  test('has no running timer after the element is removed', async () => {
    await start()
    client.last.reject(down)
    await settle()
    remove()
    expect(clock.sleeps).toEqual([])
    await clock.advance(30_000)
    expect(client.asked).toEqual(['create'])
  })

  test('continues in the same state when the page adds the element again', async () => {
    await showQr()
    remove()
    document.body.append(host)
    controller.hostConnected()
    await settle()
    expect(controller.state.name).toBe('ready')
    expect(client.asked).toEqual(['create', 'wait 1', 'wait 1'])
  })

  test("ignores the page's events after the element is removed", async () => {
    await showQr()
    remove()
    setVisible(false)
    setVisible(true)
    setOnline(false)
    await settle()
    expect(controller.state.name).toBe('ready')
    expect(client.asked).toHaveLength(2)
  })

  test('reports its transitions in order even if a listener dispatches another event', async () => {
    const reported: string[] = []
    host.stateChanged = (state, previous) => {
      if (state.name === 'loading' && previous.name === 'idle') controller.dispatch({ type: 'stop' })
      reported.push(`${previous.name} > ${state.name}`)
    }
    await start()
    expect(reported).toEqual(['idle > loading', 'loading > idle'])
  })
})
