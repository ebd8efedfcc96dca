import { fixture, html } from '@open-wc/testing'
import { describe, expect, test } from 'vitest'
import { WechatBind } from '../../widget/define.ts'
import {
  bind,
  expectNothingPending,
  mount,
  plain,
  reach,
  requestsToBe,
  scan,
  server,
} from './support/element-fixture.ts'
import { settle } from './support/fake-clock.ts'

describe('WechatBind on a page', () => {
  test('aborts its poll when the page removes the element', async () => {
    const element = await mount()
    await server.parkedPoll()
    element.remove()
    await expectNothingPending()
  })

  test('aborts a request for a QR code when the page removes the element', async () => {
    const element = await mount('loading')
    element.remove()
    await expectNothingPending()
    expect(element.state).to.equal('loading')
  })

  test("aborts a user's request when the page removes the element, and repeats it when the page adds the element again", async () => {
    const element = await mount()
    const parent = element.parentElement as Element
    const away = async () => {
      element.remove()
      // The element has not sent a request yet, so the test cannot wait for a request.
      await settle()
      await expectNothingPending()
      parent.append(element)
    }
    await scan(element, 'code')
    element.confirm('4821')
    await away()
    await reach(element, 'bound')
    element.unbind()
    await away()
    await reach(element, 'ready')
  })

  test('continues with the same QR code when the page adds the element again', async () => {
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

  test('continues when the page moves the element', async () => {
    const element = await mount()
    const elsewhere = await fixture(html`<div></div>`)
    elsewhere.append(element)
    expect(element.state).to.equal('ready')
    await bind(element)
    await expectNothingPending()
  })

  test('applies a property that the page set before the tag was registered', async () => {
    // The test registers a subclass under another name, to simulate a page that sets the property before the script registers the tag.
    class Late extends WechatBind {}
    const element = document.createElement('wechat-bind-late') as Late
    element.token = 'token'
    document.body.append(element)
    customElements.define('wechat-bind-late', Late)
    await reach(element, 'ready')
    element.remove()
    await expectNothingPending()
  })

  test('registers the tag once, even if the module is loaded several times', async () => {
    const again = '../../widget/define.ts?again'
    await import(/* @vite-ignore */ again)
    expect(customElements.get('wechat-bind')).to.equal(WechatBind)
  })

  test('works on a page with another element', async () => {
    const pair = await fixture(html`<div>${plain}${plain}</div>`)
    const [one, other] = [...pair.querySelectorAll('wechat-bind')] as [WechatBind, WechatBind]
    await reach(one, 'ready')
    await reach(other, 'ready')
    one.remove()
    await bind(other)
    expect(one.state).to.equal('ready')
    await expectNothingPending()
  })

  async function mountThree(): Promise<WechatBind[]> {
    const container = await fixture(html`<div>${plain}${plain}${plain}</div>`)
    const three = [...container.querySelectorAll('wechat-bind')]
    for (const element of three) await reach(element, 'ready')
    await server.parkedPoll()
    return three
  }

  test('sends one poll for several elements of the same user, and all elements receive the result', async () => {
    const [one, ...others] = (await mountThree()) as [WechatBind]
    expect(server.countOf('binding')).to.equal(1)
    await bind(one)
    for (const other of others) await reach(other, 'bound')
    // Browsers may grant the lock before they deliver the message. The next element may therefore poll before it
    // receives the result.
    expect(server.countOf('binding')).to.be.oneOf([1, 2])
    await expectNothingPending()
  })

  test('continues to poll for the remaining elements when the page removes the polling element', async () => {
    const [one, two, three] = (await mountThree()) as [WechatBind, WechatBind, WechatBind]
    one.remove()
    two.remove()
    await requestsToBe(1)
    await bind(three)
    await expectNothingPending()
  })

  test('leaves no request or timer after fifty mounts and removals', async () => {
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
