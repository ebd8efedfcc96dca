import { fixture, html } from '@open-wc/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { claimReturn } from '../../widget/wechat-return.ts'
import { setUserAgent } from './support/browser.ts'
import { changed, until } from './support/changes.ts'
import {
  button,
  click,
  eventOf,
  expectNothingPending,
  mount,
  open,
  part,
  plain,
  reach,
  server,
  words,
} from './support/element-fixture.ts'
import { settle } from './support/fake-clock.ts'
import { problem } from './support/fake-server.ts'

const WECHAT = 'Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50'
const MOBILE = 'Mozilla/5.0 (Linux; Android 15) Mobile'
const page = location.href.split('#')[0] ?? ''
/**
 * The server returns a fragment of the test's page instead of WeChat's URL, so that the browser does not leave the
 * test.
 */
const wechat = `${page}#wechat_redirect`

const goTo = (fragment: string) => history.replaceState(null, '', page + fragment)
const bodyOf = (path: string) => server.requests.findLast((request) => request.path === path)?.body

// Resolves when the page opens the URL of WeChat.
addEventListener('hashchange', changed)

beforeEach(() => {
  setUserAgent(WECHAT)
  open({ wechat })
})

afterEach(() => {
  claimReturn()
  goTo('')
})

describe('WechatBind inside WeChat', () => {
  test('displays one button, and offers the QR code as the alternative', async () => {
    const element = await mount()
    expect(words(element).replace(/\s+/g, ' ')).to.equal('Bind WeChat Bind this WeChat Bind with one tap QR code')
    await click(element, 'QR code')
    expect(part<HTMLImageElement>(element, 'qr')?.src).to.match(/^data:image\/png/)
    expect(words(element)).to.contain('Press and hold')
    button(element, 'Bind WeChat')
    await click(element, 'Can’t scan?')
    await click(element, 'Back to QR code')
    expect(part(element, 'qr')).to.not.equal(null)
  })

  test.each([
    ['the server does not offer the authorization', WECHAT, {}],
    ['the browser is on a desktop', 'Mozilla/5.0 (Windows NT 10.0) Chrome/130', { wechat }],
    ['the page is open in WeCom', `${WECHAT} wxwork/4.1`, { wechat }],
  ])('displays no button for the authorization when %s', async (_when, userAgent, options) => {
    setUserAgent(userAgent)
    open(options)
    const element = await mount()
    expect(part(element, 'qr')).to.not.equal(null)
    expect(words(element)).to.not.contain('Bind this WeChat')
  })

  test("opens WeChat after a click, and sends the page's URL with its fragment", async () => {
    goTo('#/account?tab=2')
    const element = await mount()
    await click(element, 'Bind this WeChat')
    expect(button(element, 'Bind this WeChat').getAttribute('aria-disabled')).to.equal('true')
    await until(() => location.href === wechat)
    expect(bodyOf('oauth')).to.deep.equal({ return: `${page}#/account?tab=2` })
  })

  test('can open WeChat again after the user has pressed the back button of the browser', async () => {
    const element = await mount()
    for (let click = 1; click <= 2; click++) {
      await until(() => button(element, 'Bind this WeChat').getAttribute('aria-disabled') === 'false')
      button(element, 'Bind this WeChat').click()
      await until(() => server.countOf('oauth') === click)
      window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    }
    await until(() => location.href === wechat)
    expect(element.state).to.equal('ready')
  })

  test('displays a failure to open WeChat, and lets the user try again', async () => {
    const element = await mount()
    const event = eventOf(element, 'binderror')
    server.refuseOnce('oauth', () => problem(429, 'RATE_LIMITED'))
    await click(element, 'Bind this WeChat')
    expect((await event).detail.code).to.equal('RATE_LIMITED')
    await element.updateComplete
    expect(words(element)).to.contain('Too many attempts')
    await click(element, 'Bind this WeChat')
    await until(() => location.href === wechat)
    await until(() => !words(element).includes('Too many attempts'))
  })

  test("becomes bound with the proof from the URL, and keeps the page's own fragment", async () => {
    goTo('#/account?tab=2&wechat-bind=PROOF')
    const details: unknown[] = []
    const note = ({ detail }: CustomEvent) => details.push(detail)
    const element = await mount('bound', html`<wechat-bind token="token" lang="en" @bound=${note}></wechat-bind>`)
    expect(location.hash).to.equal('#/account?tab=2')
    expect(details).to.deep.equal([{ boundAt: 1_700_000_000, initial: false }])
    expect(server.requests.map(({ path, body }) => [path, body])).to.deep.equal([['oauth/confirm', { proof: 'PROOF' }]])
    expect(words(element)).to.contain('WeChat is bound')
    await expectNothingPending()
  })

  test('displays "Binding…" while the server confirms the proof', async () => {
    goTo('#wechat-bind=PROOF')
    const waiting = new Promise<string>(() => {})
    const element = await mount('loading', html`<wechat-bind lang="en" .getToken=${() => waiting}></wechat-bind>`)
    await element.updateComplete
    expect(words(element)).to.contain('Binding…')
  })

  test.each([
    ['CONFLICT', 409, 'This WeChat is bound to another account'],
    ['PROOF_EXPIRED', 410, 'Not authorized. Please try again.'],
    ['FORBIDDEN', 403, 'Not authorized. Please try again.'],
  ])('displays the reason when the server refuses the proof: %s', async (code, status, line) => {
    goTo('#wechat-bind=PROOF')
    server.refuseOnce('oauth/confirm', () => problem(status, code))
    const codes: string[] = []
    const note = ({ detail }: CustomEvent) => codes.push(detail.code)
    const element = await mount('error', html`<wechat-bind token="token" lang="en" @binderror=${note}></wechat-bind>`)
    expect(codes).to.deep.equal([code])
    expect(words(element)).to.contain(line)
    await click(element, 'Try again')
    await reach(element, 'ready')
    expect(words(element)).to.contain('Bind this WeChat')
  })

  test('displays and reports that the user has declined', async () => {
    goTo('#/account?wechat-bind-error=DECLINED')
    const codes: string[] = []
    const note = ({ detail }: CustomEvent) => codes.push(detail.code)
    const element = await mount('error', html`<wechat-bind token="token" lang="en" @binderror=${note}></wechat-bind>`)
    expect(codes).to.deep.equal(['DECLINED'])
    expect(location.hash).to.equal('#/account')
    expect(words(element)).to.contain('Not authorized. Please try again.')
    expect(server.requests).to.deep.equal([])
  })

  test.each([
    ['SNAPSHOT_PAGE', 'Tap “使用完整服务”'],
    // Every object has a property of this name.
    ['constructor', 'Please try again later'],
    ['__proto__', 'Please try again later'],
  ])('displays the next step for the user after the error in the URL: %s', async (code, line) => {
    goTo(`#wechat-bind-error=${code}`)
    const element = await mount('error')
    expect(words(element)).to.contain(line)
  })

  test('uses the proof in only one element', async () => {
    goTo('#wechat-bind=PROOF')
    const pair = await fixture(html`<div>${plain}${plain}</div>`)
    const two = [...pair.querySelectorAll('wechat-bind')]
    for (const element of two) await reach(element, 'bound')
    expect(server.countOf('oauth/confirm')).to.equal(1)
  })

  test('does not use the proof in an element without a token if another element has a token', async () => {
    goTo('#wechat-bind=PROOF')
    const pair = await fixture(html`<div><wechat-bind></wechat-bind>${plain}</div>`)
    const [without, other] = [...pair.querySelectorAll('wechat-bind')]
    await reach(other!, 'bound')
    expect(without!.state).to.equal('idle')
    expect(server.countOf('oauth/confirm')).to.equal(1)
  })

  test('asks the user to follow the account until the user follows it', async () => {
    goTo('#wechat-bind=PROOF')
    server.expectNoFollower()
    const element = await mount('bound')
    expect(words(element)).to.contain('WeChat is bound').and.to.contain('Follow “Acme” to get its messages')
    expect(part<HTMLImageElement>(element, 'qr')?.src).to.match(/^data:image\/png/)
    await server.parkedPoll()
    server.change({ state: 'bound', boundAt: 1_700_000_000 })
    await until(() => !words(element).includes('Follow'))
    expect(part(element, 'qr')).to.equal(null)
    expect(words(element)).to.contain('Bound on')
    await expectNothingPending()
  })

  test('with display="button", opens the dialog again after the return, and closes it after the binding', async () => {
    goTo('#wechat-bind=PROOF')
    const element = await mount('bound', html`<wechat-bind token="token" display="button"></wechat-bind>`)
    const dialog = element.renderRoot.querySelector('dialog')
    expect(dialog?.open).to.equal(true)
    await until(() => !dialog?.open)
    expect(element.state).to.equal('bound')
  })

  test('with display="button", keeps the dialog open after a refusal and for a user who does not follow the account', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    server.expectNoFollower()
    goTo('#wechat-bind=PROOF')
    const element = await mount('bound', html`<wechat-bind token="token" display="button"></wechat-bind>`)
    goTo('#wechat-bind-error=DECLINED')
    const other = await mount('error', html`<wechat-bind token="token" display="button"></wechat-bind>`)
    for (const { renderRoot } of [element, other]) expect(renderRoot.querySelector('dialog')?.open).to.equal(true)
    expect(timers.mock.calls.filter(([, ms]) => ms === 1500)).to.deep.equal([])
    timers.mockRestore()
  })

  test('uses the proof even if the attribute manual is set', async () => {
    goTo('#wechat-bind=PROOF')
    const element = await mount('bound', html`<wechat-bind token="token" manual></wechat-bind>`)
    expect(server.countOf('qrcode')).to.equal(0)
    element.stop()
    await settle()
  })
})

describe('WechatBind in another mobile browser', () => {
  test('displays how to open the page inside WeChat, with a link to copy', async () => {
    goTo('#/account')
    setUserAgent(MOBILE)
    const element = await mount()
    expect(words(element)).to.contain('Save picture')
    await click(element, 'Can’t scan?')
    await click(element, 'Open in WeChat')
    expect(part(element, 'code')?.textContent).to.equal(`${page}#/account`)
    expect(words(element)).to.contain('Open in WeChat').and.to.contain('Send the link in WeChat, then tap it')
    element.show('link', true)
    await element.updateComplete
    expect(element.renderRoot.querySelector('[role=status]')?.textContent).to.contain('Copied')
    await click(element, 'Back to QR code')
    await click(element, 'Can’t scan?')
    await click(element, 'QR code')
    expect(words(element))
      .to.contain('Save picture')
      .and.not.match(/false|undefined/)
  })

  test('does not offer to open the page in WeChat when the server does not offer the authorization', async () => {
    setUserAgent(MOBILE)
    open()
    const element = await mount()
    await click(element, 'Can’t scan?')
    expect(words(element)).to.not.contain('Open in WeChat')
  })
})
