import { expect, fixture, html, oneEvent } from '@open-wc/testing'
import { setupWorker } from 'msw/browser'
import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest'
import { WechatBind } from '../../widget/define.ts'
import type { BindEventDetails } from '../../widget/events.ts'
import type { StateName } from '../../widget/machine.ts'
import { restoreBrowser, setOnline, setUserAgent, setVisible } from './support/browser.ts'
import { settle } from './support/fake-clock.ts'
import { createFakeServer, type FakeServer, problem, until } from './support/fake-server.ts'
import { type Pending, watchPending } from './support/pending.ts'

const worker = setupWorker()
let server: FakeServer
let pending: Pending

beforeAll(() => worker.start({ quiet: true, onUnhandledFrame: 'bypass' }))
afterAll(() => void worker.stop())

beforeEach(() => {
  open()
  pending = watchPending()
})

afterEach(() => {
  pending.end()
  worker.resetHandlers()
  restoreBrowser()
})

/** Opens a fresh server; a test may ask for another one. */
function open(options = {}): void {
  server = createFakeServer(options)
  worker.resetHandlers()
  worker.use(...server.handlers)
}

type Template = ReturnType<typeof html>
const plain = html`<wechat-bind token="token" lang="en"></wechat-bind>`

const heard = <Name extends keyof BindEventDetails>(element: Element, name: Name) =>
  oneEvent<CustomEvent<BindEventDetails[Name]>>(element, name)

async function reach(element: WechatBind, name: StateName): Promise<WechatBind> {
  await until(() => element.state === name)
  await element.updateComplete
  return element
}

async function mount(name: StateName = 'ready', template: Template = plain): Promise<WechatBind> {
  return reach(await fixture<WechatBind>(template), name)
}

const part = <E extends Element>(element: WechatBind, name: string) =>
  element.renderRoot.querySelector<E & HTMLElement>(`[part='${name}']`)

const words = (element: WechatBind) => part(element, 'card')?.innerText ?? ''

function button(element: WechatBind, label: string): HTMLButtonElement {
  const found = [...element.renderRoot.querySelectorAll('button')].find(({ textContent }) => textContent === label)
  if (!found) throw new Error(`No button "${label}" in: ${words(element)}`)
  return found
}

async function click(element: WechatBind, label: string): Promise<void> {
  button(element, label).click()
  await element.updateComplete
}

async function scan(element: WechatBind, confirm: 'reply' | 'code' = 'reply'): Promise<void> {
  await server.parkedPoll()
  server.change({ state: 'scanned', confirm })
  await reach(element, 'scanned')
}

async function bind(element: WechatBind): Promise<void> {
  await server.parkedPoll()
  server.change({ state: 'bound', boundAt: 1_700_000_000 })
  await reach(element, 'bound')
}

async function expectNothingPending(): Promise<void> {
  await until(() => pending.requests === 0)
  expect(pending.timers).to.equal(0)
}

async function type(element: WechatBind, text: string): Promise<void> {
  const field = part<HTMLInputElement>(element, 'field')
  if (!field) throw new Error('No field')
  field.value = text
  field.dispatchEvent(new InputEvent('input', { bubbles: true }))
  await element.updateComplete
}

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
    expect((await event).detail).to.deep.equal({ boundAt: 1_700_000_000_000, initial: false })
    expect((await event).bubbles && (await event).composed).to.equal(true)
    expect(element.boundAt).to.equal(1_700_000_000_000)
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
    expect(details).to.deep.equal([{ boundAt: 1_700_000_000_000, initial: true }])
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
    await expectNothingPending()
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
    await until(() => pending.requests === 0)
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

  test('is not disturbed by a token renewed in mid-poll', async () => {
    const element = await mount()
    await server.parkedPoll()
    server.accepted.add('fresh')
    element.token = 'fresh'
    await element.updateComplete
    expect(element.state).to.equal('ready')
    expect(server.countOf('binding')).to.equal(1)
    await bind(element)
  })

  test('starts anew at another server', async () => {
    const element = await mount()
    element.server = '/other'
    await until(() => server.countOf('qrcode') === 2)
    await reach(element, 'ready')
    await bind(element)
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

describe('WechatBind on a page', () => {
  test('ends its request when removed', async () => {
    const element = await mount()
    await server.parkedPoll()
    element.remove()
    await expectNothingPending()
  })

  test('ends a request for a QR when removed', async () => {
    const element = await mount('loading')
    element.remove()
    await expectNothingPending()
    expect(element.state).to.equal('loading')
  })

  test('goes on with the same QR when it is put back', async () => {
    const element = await mount()
    const parent = element.parentElement as Element
    element.remove()
    await expectNothingPending()
    parent.append(element)
    expect(element.state).to.equal('ready')
    await bind(element)
    expect(server.countOf('qrcode')).to.equal(1)
    await expectNothingPending()
  })

  test('goes on when it is moved', async () => {
    const element = await mount()
    const elsewhere = await fixture(html`<div></div>`)
    elsewhere.append(element)
    expect(element.state).to.equal('ready')
    await bind(element)
    await expectNothingPending()
  })

  test('takes a property that was set before the tag was known', async () => {
    // A second name for the class stands for a page that was quicker than the script.
    class Late extends WechatBind {}
    const element = document.createElement('wechat-bind-late') as Late
    element.token = 'token'
    document.body.append(element)
    customElements.define('wechat-bind-late', Late)
    await reach(element, 'ready')
    element.remove()
    await expectNothingPending()
  })

  test('is defined once, however often it is loaded', async () => {
    const again = '../../widget/define.ts?again'
    await import(/* @vite-ignore */ again)
    expect(customElements.get('wechat-bind')).to.equal(WechatBind)
  })

  test('lives beside another', async () => {
    const pair = await fixture(html`<div>${plain}${plain}</div>`)
    const [one, other] = [...pair.querySelectorAll('wechat-bind')] as [WechatBind, WechatBind]
    await reach(one, 'ready')
    await reach(other, 'ready')
    one.remove()
    await bind(other)
    expect(one.state).to.equal('ready')
    await expectNothingPending()
  })

  test('leaves nothing behind after fifty mounts and removals', async () => {
    const place = await fixture(html`<div></div>`)
    for (let round = 0; round < 50; round++) {
      const element = Object.assign(new WechatBind(), { token: 'token' })
      place.append(element)
      element.start()
      if (round % 2) await element.updateComplete
      element.remove()
    }
    await expectNothingPending()
    expect(place.childElementCount).to.equal(0)
  })
})

describe('WechatBind for its readers', () => {
  const states: [string, StateName, (element: WechatBind) => Promise<void>][] = [
    ['ready', 'ready', async () => {}],
    ['the text path', 'ready', (element) => click(element, 'Can’t scan?')],
    ['scanned', 'scanned', (element) => scan(element)],
    ['the code field', 'scanned', (element) => scan(element, 'code')],
    ['bound', 'bound', bind],
    [
      'the question before unbinding',
      'bound',
      async (element) => {
        await bind(element)
        await click(element, 'Unlink')
      },
    ],
    ['offline', 'offline', async () => setOnline(false)],
    ['idle', 'idle', async (element) => element.stop()],
    [
      'error',
      'error',
      async (element) => {
        server.refuseOnce('qrcode', () => problem(403, 'FORBIDDEN'))
        element.refresh()
        await reach(element, 'error')
      },
    ],
  ]

  for (const theme of ['light', 'dark']) {
    test.each(states)(`is accessible and of one size: %s, ${theme}`, async (_title, name, go) => {
      const element = await mount('ready', html`<wechat-bind token="token" lang="en" theme=${theme}></wechat-bind>`)
      const { width, height } = element.getBoundingClientRect()
      await go(element)
      await reach(element, name)
      const box = element.getBoundingClientRect()
      expect([box.width, box.height]).to.deep.equal([width, height])
      await expect(element).to.be.accessible()
    })
  }

  test('is accessible and of one size: loading and expired', async () => {
    open({ expiresIn: 0.05 })
    const element = await mount('loading', html`<wechat-bind token="token" refresh="manual"></wechat-bind>`)
    const { width, height } = element.getBoundingClientRect()
    await expect(element).to.be.accessible()
    await reach(element, 'expired')
    const box = element.getBoundingClientRect()
    expect([box.width, box.height]).to.deep.equal([width, height])
    await expect(element).to.be.accessible()
  })

  test('tells a screen reader the state, not the seconds', async () => {
    const element = await mount()
    const region = element.renderRoot.querySelector('[role=status]')
    expect(region?.textContent?.trim()).to.equal('Scan with WeChat')
    await scan(element)
    expect(element.renderRoot.querySelector('[role=status]')).to.equal(region)
    expect(region?.textContent).to.contain('Now confirm in WeChat')
  })

  test('never takes the focus, and never loses it', async () => {
    const page = await fixture(html`<div><input />${plain}</div>`)
    const element = page.querySelector('wechat-bind') as WechatBind
    const input = page.querySelector('input')
    await reach(element, 'ready')
    input?.focus()
    await scan(element, 'code')
    expect(document.activeElement).to.equal(input)

    await bind(element)
    button(element, 'Unlink').focus()
    await click(element, 'Unlink')
    expect(element.shadowRoot?.activeElement).to.equal(button(element, 'Cancel'))
  })

  test('shows what to send to who cannot scan', async () => {
    const element = await mount()
    await click(element, 'Can’t scan?')
    expect(part(element, 'code')?.textContent).to.equal('绑定 AB3D51')
    await click(element, 'Back to QR code')
    expect(part(element, 'qr')).to.not.equal(null)
  })

  test('gives a picture to press inside WeChat, large enough to be recognised', async () => {
    setUserAgent('Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50')
    const element = await mount()
    const picture = part<HTMLImageElement>(element, 'qr')
    await picture?.decode()
    expect(picture?.src).to.match(/^data:image\/png/)
    expect(picture?.width).to.be.at.least(200)
    expect(picture?.naturalWidth).to.be.at.least(640)
    expect(words(element)).to.contain('Press and hold')
    await expect(element).to.be.accessible()
  })

  test('gives a picture to save in another mobile browser', async () => {
    setUserAgent('Mozilla/5.0 (Linux; Android 15) Mobile')
    const element = await mount()
    const link = element.renderRoot.querySelector('a')
    expect(link?.download).to.equal('wechat.png')
    expect(link?.href).to.match(/^data:image\/png/)
    await expect(element).to.be.accessible()
  })

  test.each([
    ['zh-CN', '打开微信扫一扫'],
    ['zh-Hant-HK', '開啟微信掃一掃'],
    ['fr', 'Scan with WeChat'],
  ])('speaks %s', async (lang, line) => {
    const element = await mount('ready', html`<wechat-bind token="token" lang=${lang}></wechat-bind>`)
    expect(part(element, 'status')?.textContent).to.equal(line)
    expect(['zh-CN', 'zh-TW', 'en']).to.include(server.requests[0]?.headers.get('Accept-Language'))
  })

  test('speaks the language around it, and follows it', async () => {
    const page = await fixture(html`<div lang="zh-CN"><wechat-bind token="token"></wechat-bind></div>`)
    const element = await reach(page.querySelector('wechat-bind') as WechatBind, 'ready')
    expect(part(element, 'status')?.textContent).to.equal('打开微信扫一扫')
    page.setAttribute('lang', 'en')
    await until(() => part(element, 'status')?.textContent === 'Scan with WeChat')
  })

  test("says the page's own words", async () => {
    const messages = { scan: 'Point WeChat here', expiresIn: '{time} to go' }
    const element = await mount('ready', html`<wechat-bind token="token" .messages=${messages}></wechat-bind>`)
    expect(words(element))
      .to.contain('Point WeChat here')
      .and.to.match(/\d:\d\d to go/)
  })

  test('takes what the page puts into its slots', async () => {
    const slotted = html`<wechat-bind token="token"><b slot="title">Our title</b><i slot="success">Done</i></wechat-bind>`
    const element = await mount('ready', slotted)
    await bind(element)
    const slots = [...element.renderRoot.querySelectorAll('slot')].flatMap((slot) => slot.assignedElements())
    expect(slots.map(({ textContent }) => textContent)).to.deep.equal(['Our title', 'Done'])
  })
})
