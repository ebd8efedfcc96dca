import { fixture, html } from '@open-wc/testing'
import { describe, expect, test, vi } from 'vitest'
import { BindError } from '../../widget/bind-error.ts'
import { WechatBind } from '../../widget/define.ts'
import { createTranslate } from '../../widget/messages.ts'
import type { View } from '../../widget/panel.ts'
import type { State } from '../../widget/state.ts'
import { panelOf } from '../../widget/state-panels.ts'
import { setOnline, setVisible } from './support/browser.ts'
import { until } from './support/changes.ts'
import {
  answerTokenUrl,
  bind,
  button,
  click,
  eventOf,
  expectNothingPending,
  mount,
  open,
  part,
  plain,
  reach,
  requestsToBe,
  scan,
  server,
  type,
  words,
} from './support/element-fixture.ts'
import { settle } from './support/fake-clock.ts'
import { problem } from './support/fake-server.ts'

describe('WechatBind', () => {
  test('displays a dark QR code on white, with an empty border', async () => {
    const element = await mount()
    expect(part(element, 'qr')?.getAttribute('viewBox')).to.equal('-4 -4 33 33')
    expect(getComputedStyle(part(element, 'tile') as Element).backgroundColor).to.equal('rgb(255, 255, 255)')
    expect(words(element))
      .to.contain('Scan with WeChat')
      .and.to.match(/Expires in [12]:\d\d/)
  })

  test('becomes bound as soon as the server reports the binding', async () => {
    const element = await mount()
    const event = eventOf(element, 'bound')
    await bind(element)
    expect((await event).detail).to.deep.equal({ boundAt: 1_700_000_000, initial: false })
    expect((await event).bubbles && (await event).composed).to.equal(true)
    expect(element.boundAt).to.equal(1_700_000_000)
    expect(words(element)).to.contain('WeChat is bound').and.to.contain('2023')
    await expectNothingPending()
  })

  test('dispatches `bound` with `initial` for a binding that existed before the start', async () => {
    server.change({ state: 'bound', boundAt: 1_700_000_000 })
    const details: unknown[] = []
    await mount(
      'bound',
      html`<wechat-bind token="token" @bound=${(event: CustomEvent) => details.push(event.detail)}></wechat-bind>`,
    )
    expect(details).to.deep.equal([{ boundAt: 1_700_000_000, initial: true }])
  })

  test('reports each state in order, and sets the CSS state of the same name', async () => {
    const names: string[] = []
    const note = ({ detail }: CustomEvent) => names.push(`${detail.previous} > ${detail.state}`)
    const element = await mount('ready', html`<wechat-bind token="token" @statechange=${note}></wechat-bind>`)
    await scan(element)
    expect(element.matches(':state(scanned)')).to.equal(true)
    expect(element.matches(':state(ready)')).to.equal(false)
    await bind(element)
    expect(names).to.deep.equal(['idle > loading', 'loading > ready', 'ready > scanned', 'scanned > bound'])
  })

  test('asks the user to confirm on the phone', async () => {
    const element = await mount()
    const event = eventOf(element, 'scanned')
    await scan(element)
    await event
    expect(words(element)).to.contain('Scanned').and.to.contain('Now confirm in WeChat')
    expect(part(element, 'qr')).to.equal(null)
  })

  test('accepts four typed or pasted digits and submits them automatically', async () => {
    const element = await mount()
    await scan(element, 'code')
    await type(element, ' 48 ２１ ')
    await reach(element, 'bound')
    expect(server.requests.findLast(({ path }) => path === 'confirm')?.body).to.deep.equal({ code: '4821' })
  })

  test('displays the number of tries left, and starts again after the last try', async () => {
    const element = await mount()
    await scan(element, 'code')
    const event = eventOf(element, 'binderror')
    await type(element, '1111')
    expect((await event).detail).to.include({ code: 'WRONG_CODE', retryable: false })
    await element.updateComplete
    expect(words(element)).to.contain('Tries left: 2')
    expect(part<HTMLInputElement>(element, 'field')?.value).to.equal('')

    element.confirm('2222')
    await until(() => words(element).includes('Tries left: 1'))
    server.change({ state: 'unbound' })
    await reach(element, 'ready')
  })

  test('unbinds in two steps', async () => {
    server.change({ state: 'bound', boundAt: 1_700_000_000 })
    const element = await mount('bound')
    await click(element, 'Unbind')
    await click(element, 'Cancel')
    expect(server.countOf('binding')).to.equal(0)

    await click(element, 'Unbind')
    const event = eventOf(element, 'unbound')
    await click(element, 'Unbind')
    expect((await event).detail).to.deep.equal({ reason: 'widget' })
    await reach(element, 'ready')
  })

  test('reports that the binding was removed elsewhere when `watch` is set', async () => {
    server.change({ state: 'bound', boundAt: 1_700_000_000 })
    const element = await mount('bound', html`<wechat-bind token="token" watch></wechat-bind>`)
    await server.parkedPoll()
    const event = eventOf(element, 'unbound')
    server.change({ state: 'unbound', reason: 'unsubscribe' })
    expect((await event).detail).to.deep.equal({ reason: 'unsubscribe' })
    await reach(element, 'ready')
  })

  test('hides an expired QR code, and requests a new QR code after a click', async () => {
    open({ expiresIn: 0.05 })
    const element = await mount('expired', html`<wechat-bind token="token" lang="en" refresh="manual"></wechat-bind>`)
    expect(part(element, 'qr')).to.equal(null)
    open()
    await click(element, 'New QR code')
    await reach(element, 'ready')
    // An expired element polls as well.
    expect(server.requests.find(({ path }) => path === 'qrcode')?.body).to.deep.equal({ refresh: false })
  })

  test('replaces the QR code when the page calls refresh()', async () => {
    const element = await mount()
    element.refresh()
    await reach(element, 'ready')
    expect(server.requests.findLast(({ path }) => path === 'qrcode')?.body).to.deep.equal({ refresh: true })
  })

  test('waits for a click before it requests a QR code when `manual` is set', async () => {
    const element = await mount('idle', html`<wechat-bind token="token" lang="en" manual></wechat-bind>`)
    await settle()
    expect(server.requests).to.deep.equal([])
    await click(element, 'Show QR code')
    await reach(element, 'ready')
  })

  test('sends no requests after stop() until start()', async () => {
    const element = await mount()
    element.stop()
    expect(element.state).to.equal('idle')
    await expectNothingPending()
    element.start()
    await reach(element, 'ready')
  })

  test('reports a permanent error, and retries after a click', async () => {
    server.refuseOnce('qrcode', () => problem(403, 'FORBIDDEN'))
    const details: unknown[] = []
    const note = ({ detail }: CustomEvent) => details.push(detail)
    const element = await mount('error', html`<wechat-bind token="token" lang="en" @binderror=${note}></wechat-bind>`)
    expect(details).to.deep.equal([{ code: 'FORBIDDEN', message: 'FORBIDDEN, set by the test', retryable: false }])
    await click(element, 'Try again')
    await reach(element, 'ready')
  })

  test('becomes offline without a network, and continues by itself when the network is back', async () => {
    const element = await mount()
    setOnline(false)
    await reach(element, 'offline')
    expect(part(element, 'qr')).to.equal(null)
    await expectNothingPending()
    setOnline(true)
    await reach(element, 'ready')
    await bind(element)
  })

  test('polls at once when the tab becomes visible again', async () => {
    const element = await mount()
    await server.parkedPoll()
    setVisible(false)
    server.endWait()
    await requestsToBe(0)
    expect(server.countOf('binding')).to.equal(1)
    setVisible(true)
    await until(() => server.countOf('binding') === 2)
    await bind(element)
  })

  test('polls again when the server ends a poll without a change', async () => {
    const element = await mount()
    await server.parkedPoll()
    server.change({ state: 'unbound' })
    await until(() => server.countOf('qrcode') === 2)
    await reach(element, 'ready')
    await bind(element)
    expect(server.countOf('qrcode')).to.equal(2)
  })

  test('waits for a token that is set later', async () => {
    const element = await mount('idle', html`<wechat-bind></wechat-bind>`)
    expect(server.requests).to.deep.equal([])
    element.token = 'token'
    await reach(element, 'ready')
  })

  test('gets a new token from the page when a token has expired', async () => {
    server.accepted.clear()
    server.accepted.add('fresh')
    const given = ['stale', 'fresh']
    await mount('ready', html`<wechat-bind .getToken=${() => given.shift()}></wechat-bind>`)
    expect(given).to.deep.equal([])
  })

  test('sends no more requests after its token has expired, until the page sets another token', async () => {
    server.accepted.clear()
    server.accepted.add('fresh')
    const element = await mount('error')
    await expectNothingPending()
    element.token = 'fresh'
    await reach(element, 'ready')
  })

  test('does not call getToken in a loop when a framework sets a new function at each rendering', async () => {
    let asked = 0
    const getToken = () => {
      asked++
      return Promise.reject(new Error('signed out'))
    }
    const draw = ({ target }: Event) => Object.assign(target as WechatBind, { getToken: () => getToken() })
    const element = await mount(
      'error',
      html`<wechat-bind lang="en" .getToken=${() => getToken()} @binderror=${draw}></wechat-bind>`,
    )
    await settle()
    expect(element.state).to.equal('error')
    expect(asked).to.equal(1)
    await click(element, 'Try again')
    await reach(element, 'error')
    expect(asked).to.equal(2)
  })

  test('does not abort its poll when the page sets a renewed token of the same user', async () => {
    const element = await mount()
    await server.parkedPoll()
    server.accepted.add('fresh')
    element.token = 'fresh'
    await element.updateComplete
    expect(element.state).to.equal('ready')
    expect(server.countOf('qrcode')).to.equal(1)
    await bind(element)
  })

  test('hides the data of the previous user after a token of another user, whatever the versions of the two users are', async () => {
    const element = await mount()
    await server.parkedPoll()
    for (const [name, at] of [
      ['b', 9],
      ['c', 0],
      ['d', 0],
    ] as const) {
      const asked = server.countOf('qrcode')
      server.accepted.add(name)
      server.becomeUser(name, at)
      element.token = name
      await until(() => server.countOf('qrcode') === asked + 1)
      await reach(element, 'ready')
    }
    expect(server.requests.at(-1)?.headers.get('Authorization')).to.equal('Bearer d')
    await bind(element)
  })

  test('requests the binding after a token of another user, even if the element no longer polls', async () => {
    const element = await mount()
    await bind(element)
    server.accepted.add('b')
    server.becomeUser('b', 2)
    element.token = 'b'
    await reach(element, 'ready')
    expect(server.requests.at(-1)?.headers.get('Authorization')).to.equal('Bearer b')
  })

  test('stays bound and sends one request when the page sets a renewed token of the same user', async () => {
    const element = await mount()
    await bind(element)
    const asked = server.countOf('binding')
    server.accepted.add('fresh')
    element.token = 'fresh'
    await until(() => server.countOf('binding') === asked + 1)
    await requestsToBe(0)
    expect(element.state).to.equal('bound')
  })

  test('does not display the QR code of the previous user when the token changes during the request', async () => {
    const element = await fixture<WechatBind>(plain)
    server.accepted.add('b')
    element.start()
    element.token = 'b'
    await reach(element, 'ready')
    expect(server.requests.at(-1)?.headers.get('Authorization')).to.equal('Bearer b')
  })

  test('reports that unbinding failed', async () => {
    const element = await mount()
    await bind(element)
    server.refuseOnce('binding', () => problem(503, 'STORE_UNAVAILABLE'))
    await click(element, 'Unbind')
    await click(element, 'Unbind')
    await requestsToBe(0)
    await until(() => words(element).includes('Please try again later'))
    expect(element.state).to.equal('bound')
  })

  test('displays "copied" in the live region after a copy, and keeps the button and the focus', async () => {
    const element = await mount()
    await click(element, 'Can’t scan?')
    const [copy, back] = [button(element, 'Copy'), button(element, 'Back to QR code')]
    copy.focus()
    element.show('text', true)
    await element.updateComplete
    expect(element.renderRoot.querySelector('[role=status]')?.textContent?.trim()).to.match(
      /Send this text to the Official Account in WeChat\s*Copied/,
    )
    expect(element.shadowRoot?.activeElement).to.equal(copy)
    expect(copy.textContent).to.equal('Copy')
    expect(back.isConnected).to.equal(true)
  })

  test('does not display "copied" for a new code that the user has not copied', async () => {
    const element = await mount()
    await click(element, 'Can’t scan?')
    element.show('text', true)
    await element.updateComplete
    element.refresh()
    await reach(element, 'loading')
    await reach(element, 'ready')
    expect(words(element)).to.contain('Send this text to the Official Account in WeChat').and.not.to.contain('Copied')
  })

  test("uses the page's origin again when `server` is removed", async () => {
    const element = await mount('ready', html`<wechat-bind token="token" server="/other" lang="en"></wechat-bind>`)
    element.removeAttribute('server')
    await until(() => server.countOf('qrcode') === 2)
    await reach(element, 'ready')
    expect(server.urlsOf('qrcode')).to.deep.equal(['/other/widget/qrcode', '/widget/qrcode'])
  })

  test('restarts when `server` changes', async () => {
    const element = await mount()
    element.server = '/other'
    await until(() => server.countOf('qrcode') === 2)
    await reach(element, 'ready')
    await bind(element)
    expect(server.urlsOf('qrcode')).to.deep.equal(['/widget/qrcode', '/other/widget/qrcode'])
  })

  test('reports and mentions a refused scan, and keeps its QR code', async () => {
    const element = await mount()
    await server.parkedPoll()
    const picture = part(element, 'qr')
    const event = eventOf(element, 'refused')
    server.change({ state: 'unbound', notice: 'conflict' })
    expect((await event).detail).to.deep.equal({ reason: 'conflict' })
    await element.updateComplete
    expect(words(element)).to.contain('This WeChat is bound to another account')
    expect(part(element, 'qr')).to.equal(picture)
    expect(element.state).to.equal('ready')
    expect(server.countOf('qrcode')).to.equal(1)
    await bind(element)
  })

  test('displays that the WeChat of the scan is bound to another account', async () => {
    const element = await mount()
    await scan(element, 'code')
    server.refuseOnce('confirm', () => problem(409, 'CONFLICT'))
    await type(element, '4821')
    await reach(element, 'error')
    expect(words(element)).to.contain('This WeChat is bound to another account')
  })

  test('displays the name of the Official Account to which the user can send the text', async () => {
    open({ account: 'Acme' })
    const element = await mount()
    await click(element, 'Can’t scan?')
    expect(words(element))
      .to.contain('Send this text to “Acme” in WeChat')
      .and.to.contain('Search for “Acme” in WeChat')
  })

  test('does not tell the user that the session has ended when token-url does not exist', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    answerTokenUrl(() => new Response('<h1>Not found</h1>', { status: 404 }))
    const element = await mount('error', html`<wechat-bind token-url="/my-token" lang="en"></wechat-bind>`)
    expect(words(element)).to.contain('Please try again later').and.not.to.contain('session')
    expect(warn.mock.calls.flat().join()).to.match(/NO_TOKEN: token-url \/my-token: .*HTTP 404/)
    warn.mockRestore()
  })

  test.each([
    ['refuses', () => new Response('', { status: 401 })],
    ['redirects to a sign-in page', () => Response.redirect(`${location.origin}/sign-in`, 302)],
  ])('tells the user at once that the session has ended when token-url %s', async (_what, answer) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    answerTokenUrl(answer)
    const element = await mount('error', html`<wechat-bind token-url="/my-token" lang="en"></wechat-bind>`)
    expect(words(element)).to.contain('Your session has ended. Reload the page.')
    expect(server.requests).to.deep.equal([])
    warn.mockRestore()
  })

  test('displays one line below the title, and nothing else, while it requests the first QR code', async () => {
    const waiting = new Promise<string>(() => {})
    const element = await mount('loading', html`<wechat-bind lang="en" .getToken=${() => waiting}></wechat-bind>`)
    // WebKit puts one line break between the texts, Chromium and Firefox two.
    expect(words(element).trim()).to.match(/^Bind WeChat\n+Getting a QR code…$/)
  })

  test.each([
    ['an error of the server at token-url', 502, 'Please try again later'],
    ['a lost network connection', undefined, 'Please check your connection'],
  ])('displays a specific hint for %s', (_what, status, hint) => {
    const error = new BindError('NO_TOKEN', 'token-url', { retryable: true, status })
    const view = { translate: createTranslate('en'), host: {} } as View
    expect(panelOf({ name: 'error', error } as State, view).hint).to.equal(hint)
  })

  test('during its retries, displays that the connection has failed', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    answerTokenUrl(() => new Response('', { status: 502 }))
    const element = await mount('loading', html`<wechat-bind token-url="/my-token" lang="en"></wechat-bind>`)
    await until(() => words(element).includes('Connection failed. Retrying…'))
    expect(element.state).to.equal('loading')
    expect(warn.mock.calls.flat().join()).to.match(/NO_TOKEN: token-url \/my-token: .*HTTP 502/)
    warn.mockRestore()
  })

  test('accepts a text that a framework sets as the property `refresh`, keeps the method `refresh()`, and warns once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const element = await mount('ready', html`<wechat-bind token="token" .refresh=${'manual'}></wechat-bind>`)
    expect(element.refreshMode).to.equal('manual')
    expect(element.refresh).to.be.a('function')
    await mount('ready', html`<wechat-bind token="token" .refresh=${'manual'}></wechat-bind>`)
    expect(warn.mock.calls).to.have.length(1)
    expect(warn.mock.calls[0]?.[0]).to.contain('set the property refreshMode')
    warn.mockRestore()
  })

  test('treats an unknown value of the attribute refresh as auto, and warns once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    open({ expiresIn: 0.05 })
    const element = await mount('ready', html`<wechat-bind token="token" refresh="never"></wechat-bind>`)
    await until(() => server.countOf('qrcode') > 1)
    element.setAttribute('refresh', 'manual')
    await element.updateComplete
    element.removeAttribute('refresh')
    await element.updateComplete
    expect(warn.mock.calls.flat()).to.have.length(1)
    expect(warn.mock.calls[0]?.[0]).to.contain('refresh="never" is unknown: use auto or manual')
    warn.mockRestore()
  })

  test('warns when getToken is set as an attribute', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await mount('ready', html`<wechat-bind token="token" getToken="getToken"></wechat-bind>`)
    expect(warn.mock.calls.flat()).to.have.length(1)
    expect(warn.mock.calls[0]?.[0]).to.contain('The attribute gettoken has no effect')
    warn.mockRestore()
  })

  test('never throws an error into the page', async () => {
    const element = new WechatBind()
    element.start()
    element.confirm('1')
    element.unbind()
    element.refresh()
    element.stop()
    element.server = 'https://['
    element.token = 'token'
    const event = eventOf(element, 'binderror')
    document.body.append(element)
    element.start()
    expect((await event).detail.code).to.equal('BAD_REQUEST')
    element.remove()
  })
})
