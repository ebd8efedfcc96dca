import { fixture, html } from '@open-wc/testing'
import { describe, expect, test } from 'vitest'
import type { WechatBind } from '../../widget/define.ts'
import type { StateName } from '../../widget/state.ts'
import { setOnline, setUserAgent } from './support/browser.ts'
import { until } from './support/changes.ts'
import { bind, button, click, mount, open, part, plain, reach, scan, server, words } from './support/element-fixture.ts'
import { problem } from './support/fake-server.ts'

describe('The accessibility of WechatBind', () => {
  const states: [string, StateName, (element: WechatBind) => Promise<void>][] = [
    ['ready', 'ready', async () => {}],
    ['the text to send', 'ready', (element) => click(element, 'Can’t scan?')],
    ['scanned', 'scanned', (element) => scan(element)],
    ['the code field', 'scanned', (element) => scan(element, 'code')],
    ['bound', 'bound', bind],
    [
      'the question before unbinding',
      'bound',
      async (element) => {
        await bind(element)
        await click(element, 'Unbind')
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
    test.each(states)(`has no axe findings and keeps its size: %s, ${theme}`, async (_title, name, go) => {
      const element = await mount('ready', html`<wechat-bind token="token" lang="en" theme=${theme}></wechat-bind>`)
      const { width, height } = element.getBoundingClientRect()
      await go(element)
      await reach(element, name)
      const box = element.getBoundingClientRect()
      expect([box.width, box.height]).to.deep.equal([width, height])
      await expect(element).to.be.accessible()
    })
  }

  test('has no axe findings and keeps its size: loading and expired', async () => {
    open({ expiresIn: 0.05 })
    const element = await mount('loading', html`<wechat-bind token="token" refresh="manual"></wechat-bind>`)
    const { width, height } = element.getBoundingClientRect()
    await expect(element).to.be.accessible()
    await reach(element, 'expired')
    const box = element.getBoundingClientRect()
    expect([box.width, box.height]).to.deep.equal([width, height])
    await expect(element).to.be.accessible()
  })

  test('announces a change of state to screen readers, but not each second', async () => {
    const element = await mount()
    const region = element.renderRoot.querySelector('[role=status]')
    expect(region?.textContent?.trim()).to.equal('Scan with WeChat')
    await scan(element)
    expect(element.renderRoot.querySelector('[role=status]')).to.equal(region)
    expect(region?.textContent).to.contain('Now confirm in WeChat')
  })

  test('keeps the focus that is in the card, and does not take the focus from the page', async () => {
    const page = await fixture(html`<div><input />${plain}</div>`)
    const element = page.querySelector('wechat-bind') as WechatBind
    const input = page.querySelector('input')
    await reach(element, 'ready')
    input?.focus()
    await scan(element, 'code')
    expect(document.activeElement).to.equal(input)

    await bind(element)
    button(element, 'Unbind').focus()
    await click(element, 'Unbind')
    expect(element.shadowRoot?.activeElement).to.equal(button(element, 'Cancel'))
  })

  test('displays a text that the user can send instead of scanning', async () => {
    const element = await mount()
    await click(element, 'Can’t scan?')
    expect(part(element, 'code')?.textContent).to.equal('bind AB3D51')
    element.lang = 'zh-TW'
    await element.updateComplete
    expect(part(element, 'code')?.textContent).to.equal('綁定 AB3D51')
    element.lang = 'en'
    await element.updateComplete
    await click(element, 'Back to QR code')
    expect(part(element, 'qr')).to.not.equal(null)
  })

  test('inside WeChat, displays an image that is large enough for a long press', async () => {
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

  test('in another mobile browser, offers an image to save', async () => {
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
  ])('displays its texts in %s', async (lang, line) => {
    const element = await mount('ready', html`<wechat-bind token="token" lang=${lang}></wechat-bind>`)
    expect(part(element, 'status')?.textContent).to.equal(line)
    expect(['zh-CN', 'zh-TW', 'en']).to.include(server.requests[0]?.headers.get('Accept-Language'))
  })

  test('uses the `lang` of its ancestor, and changes with it', async () => {
    const page = await fixture(html`<div lang="zh-CN"><wechat-bind token="token"></wechat-bind></div>`)
    const element = await reach(page.querySelector('wechat-bind') as WechatBind, 'ready')
    expect(part(element, 'status')?.textContent).to.equal('打开微信扫一扫')
    page.setAttribute('lang', 'en')
    await until(() => part(element, 'status')?.textContent === 'Scan with WeChat')
  })

  test('displays the texts that the page has set', async () => {
    const messages = { scan: 'Point WeChat here', expiresIn: '{time} to go' }
    const element = await mount('ready', html`<wechat-bind token="token" .messages=${messages}></wechat-bind>`)
    expect(words(element))
      .to.contain('Point WeChat here')
      .and.to.match(/\d:\d\d to go/)
  })

  test('displays the content of its slots', async () => {
    const slotted = html`<wechat-bind token="token"><b slot="title">Our title</b><i slot="success">Done</i></wechat-bind>`
    const element = await mount('ready', slotted)
    await bind(element)
    const slots = [...element.renderRoot.querySelectorAll('slot')].flatMap((slot) => slot.assignedElements())
    expect(slots.map(({ textContent }) => textContent)).to.deep.equal(['Our title', 'Done'])
  })
})
