import { fixture, html } from '@open-wc/testing'
import { describe, expect, test } from 'vitest'
import { WechatBind } from '../../widget/define.ts'
import { setOnline, setVisible } from './support/browser.ts'
import { settle } from './support/fake-clock.ts'
import { problem, until } from './support/fake-server.ts'
import {
  bind,
  button,
  click,
  expectNothingPending,
  heard,
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
} from './support/stage.ts'

describe('WechatBind', () => {
  test('shows a QR with its quiet zone, dark on white', async () => {
    const element = await mount()
    expect(part(element, 'qr')?.getAttribute('viewBox')).to.equal('-4 -4 33 33')
    expect(getComputedStyle(part(element, 'tile') as Element).backgroundColor).to.equal('rgb(255, 255, 255)')
    expect(words(element))
      .to.contain('Scan with WeChat')
      .and.to.match(/Expires in [12]:\d\d/)
  })

  test('is bound as soon as the server says so', async () => {
    const element = await mount()
    const event = heard(element, 'bound')
    await bind(element)
    expect((await event).detail).to.deep.equal({ boundAt: 1_700_000_000, initial: false })
    expect((await event).bubbles && (await event).composed).to.equal(true)
    expect(element.boundAt).to.equal(1_700_000_000)
    expect(words(element)).to.contain('WeChat linked').and.to.contain('2023')
    await expectNothingPending()
  })

  test('says that a binding was there before', async () => {
    server.change({ state: 'bound', boundAt: 1_700_000_000 })
    const details: unknown[] = []
    await mount(
      'bound',
      html`<wechat-bind token="token" @bound=${(event: CustomEvent) => details.push(event.detail)}></wechat-bind>`,
    )
    expect(details).to.deep.equal([{ boundAt: 1_700_000_000, initial: true }])
  })

  test('tells each state it comes to, in order, and shows it to CSS', async () => {
    const names: string[] = []
    const note = ({ detail }: CustomEvent) => names.push(`${detail.previous} > ${detail.state}`)
    const element = await mount('ready', html`<wechat-bind token="token" @statechange=${note}></wechat-bind>`)
    await scan(element)
    expect(element.matches(':state(scanned)')).to.equal(true)
    expect(element.matches(':state(ready)')).to.equal(false)
    await bind(element)
    expect(names).to.deep.equal(['idle > loading', 'loading > ready', 'ready > scanned', 'scanned > bound'])
  })

  test('asks to confirm on the phone', async () => {
    const element = await mount()
    const event = heard(element, 'scanned')
    await scan(element)
    await event
    expect(words(element)).to.contain('Scanned').and.to.contain('Now confirm in WeChat')
    expect(part(element, 'qr')).to.equal(null)
  })

  test('takes four digits as they come from a keyboard or a clipboard, and sends them by itself', async () => {
    const element = await mount()
    await scan(element, 'code')
    await type(element, ' 48 ２１ ')
    await reach(element, 'bound')
    expect(server.requests.findLast(({ path }) => path === 'confirm')?.body).to.deep.equal({ code: '4821' })
  })

  test('says how many tries are left, and starts over after the last', async () => {
    const element = await mount()
    await scan(element, 'code')
    const event = heard(element, 'binderror')
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
    await click(element, 'Unlink')
    await click(element, 'Cancel')
    expect(server.countOf('binding')).to.equal(0)

    await click(element, 'Unlink')
    const event = heard(element, 'unbound')
    await click(element, 'Unlink')
    expect((await event).detail).to.deep.equal({ reason: 'widget' })
    await reach(element, 'ready')
  })

  test('hears of an unbinding elsewhere when it watches', async () => {
    server.change({ state: 'bound', boundAt: 1_700_000_000 })
    const element = await mount('bound', html`<wechat-bind token="token" watch></wechat-bind>`)
    await server.parkedPoll()
    const event = heard(element, 'unbound')
    server.change({ state: 'unbound', reason: 'unsubscribe' })
    expect((await event).detail).to.deep.equal({ reason: 'unsubscribe' })
    await reach(element, 'ready')
  })

  test('covers a QR that has ended, and makes another on a click', async () => {
    open({ expiresIn: 0.05 })
    const element = await mount('expired', html`<wechat-bind token="token" lang="en" refresh="manual"></wechat-bind>`)
    expect(part(element, 'qr')).to.equal(null)
    open()
    await click(element, 'New QR code')
    await reach(element, 'ready')
    expect(server.requests[0]?.body).to.deep.equal({ refresh: false })
  })

  test('replaces the QR on refresh()', async () => {
    const element = await mount()
    element.refresh()
    await reach(element, 'ready')
    expect(server.requests.findLast(({ path }) => path === 'qrcode')?.body).to.deep.equal({ refresh: true })
  })

  test('waits for a click when manual', async () => {
    const element = await mount('idle', html`<wechat-bind token="token" lang="en" manual></wechat-bind>`)
    await settle()
    expect(server.requests).to.deep.equal([])
    await click(element, 'Show QR code')
    await reach(element, 'ready')
  })

  test('stops until it is started', async () => {
    const element = await mount()
    element.stop()
    expect(element.state).to.equal('idle')
    await expectNothingPending()
    element.start()
    await reach(element, 'ready')
  })

  test('tells an error that it cannot mend, and tries again on a click', async () => {
    server.refuseOnce('qrcode', () => problem(403, 'FORBIDDEN'))
    const details: unknown[] = []
    const note = ({ detail }: CustomEvent) => details.push(detail)
    const element = await mount('error', html`<wechat-bind token="token" lang="en" @binderror=${note}></wechat-bind>`)
    expect(details).to.deep.equal([{ code: 'FORBIDDEN', message: 'FORBIDDEN, as the test wished', retryable: false }])
    await click(element, 'Try again')
    await reach(element, 'ready')
  })

  test('is offline without a network, and goes on by itself', async () => {
    const element = await mount()
    setOnline(false)
    await reach(element, 'offline')
    expect(part(element, 'qr')).to.equal(null)
    await expectNothingPending()
    setOnline(true)
    await reach(element, 'ready')
    await bind(element)
  })

  test('polls at once when it is looked at again', async () => {
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

  test('goes on polling when the server ends the wait', async () => {
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

  test('gets a new token from the page when one has run out', async () => {
    server.accepted.clear()
    server.accepted.add('fresh')
    const given = ['stale', 'fresh']
    await mount('ready', html`<wechat-bind .getToken=${() => given.shift()}></wechat-bind>`)
    expect(given).to.deep.equal([])
  })

  test('stops at a token that has run out until the page sets another', async () => {
    server.accepted.clear()
    server.accepted.add('fresh')
    const element = await mount('error')
    await expectNothingPending()
    element.token = 'fresh'
    await reach(element, 'ready')
  })

  test('does not ask a page over and over that gives another function at each drawing, as frameworks do', async () => {
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

  test('is not disturbed by a token renewed in mid-poll', async () => {
    const element = await mount()
    await server.parkedPoll()
    server.accepted.add('fresh')
    element.token = 'fresh'
    await element.updateComplete
    expect(element.state).to.equal('ready')
    expect(server.countOf('qrcode')).to.equal(1)
    await bind(element)
  })

  test('shows nothing of the user before once the token is of another, whatever their versions', async () => {
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

  test('asks whose binding it shows when its token is of another user, even when it watches no more', async () => {
    const element = await mount()
    await bind(element)
    server.accepted.add('b')
    server.becomeUser('b', 2)
    element.token = 'b'
    await reach(element, 'ready')
    expect(server.requests.at(-1)?.headers.get('Authorization')).to.equal('Bearer b')
  })

  test('stays bound, and asks no more than once, when its token is only renewed', async () => {
    const element = await mount()
    await bind(element)
    const asked = server.countOf('binding')
    server.accepted.add('fresh')
    element.token = 'fresh'
    await until(() => server.countOf('binding') === asked + 1)
    await requestsToBe(0)
    expect(element.state).to.equal('bound')
  })

  test('shows no code of the user before when the token changes in the middle of asking for it', async () => {
    const element = await fixture<WechatBind>(plain)
    server.accepted.add('b')
    element.start()
    element.token = 'b'
    await reach(element, 'ready')
    expect(server.requests.at(-1)?.headers.get('Authorization')).to.equal('Bearer b')
  })

  test('says that unbinding failed', async () => {
    const element = await mount()
    await bind(element)
    server.refuseOnce('binding', () => problem(503, 'STORE_UNAVAILABLE'))
    await click(element, 'Unlink')
    await click(element, 'Unlink')
    await requestsToBe(0)
    await until(() => words(element).includes('Please try again later'))
    expect(element.state).to.equal('bound')
  })

  test('tells what was copied in the live region, and leaves the button and the focus where they are', async () => {
    const element = await mount()
    await click(element, 'Can’t scan?')
    const [copy, back] = [button(element, 'Copy'), button(element, 'Back to QR code')]
    copy.focus()
    element.open('copied')
    await element.updateComplete
    expect(element.renderRoot.querySelector('[role=status]')?.textContent?.trim()).to.equal('Copied, now send it')
    expect(element.shadowRoot?.activeElement).to.equal(copy)
    expect(copy.textContent).to.equal('Copy')
    expect(back.isConnected).to.equal(true)
  })

  test('does not say "copied" of a code that was not', async () => {
    const element = await mount()
    await click(element, 'Can’t scan?')
    element.open('copied')
    await element.updateComplete
    element.refresh()
    await reach(element, 'loading')
    await reach(element, 'ready')
    expect(words(element)).to.contain('Send us this in WeChat')
  })

  test("is at the page's own origin again when its server is taken away", async () => {
    const element = await mount('ready', html`<wechat-bind token="token" server="/other" lang="en"></wechat-bind>`)
    element.removeAttribute('server')
    await until(() => server.countOf('qrcode') === 2)
    await reach(element, 'ready')
    expect(server.urlsOf('qrcode')).to.deep.equal(['/other/widget/qrcode', '/widget/qrcode'])
  })

  test('starts anew at another server', async () => {
    const element = await mount()
    element.server = '/other'
    await until(() => server.countOf('qrcode') === 2)
    await reach(element, 'ready')
    await bind(element)
    expect(server.urlsOf('qrcode')).to.deep.equal(['/widget/qrcode', '/other/widget/qrcode'])
  })

  test('never throws at the page', async () => {
    const element = new WechatBind()
    element.start()
    element.confirm('1')
    element.unbind()
    element.refresh()
    element.stop()
    element.server = 'https://['
    element.token = 'token'
    const event = heard(element, 'binderror')
    document.body.append(element)
    element.start()
    expect((await event).detail.code).to.equal('BAD_REQUEST')
    element.remove()
  })
})
