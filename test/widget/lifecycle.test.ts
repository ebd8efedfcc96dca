import { fixture, html } from '@open-wc/testing'
import { describe, expect, test } from 'vitest'
import { WechatBind } from '../../widget/define.ts'
import { settle } from './support/fake-clock.ts'
import { bind, expectNothingPending, mount, plain, reach, requestsToBe, scan, server } from './support/stage.ts'

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

  test('ends what the user asked for when removed, and does it when put back', async () => {
    const element = await mount()
    const parent = element.parentElement as Element
    const away = async () => {
      element.remove()
      // The request was not sent yet: there is none to wait for the end of.
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

  async function mountThree(): Promise<WechatBind[]> {
    const crowd = await fixture(html`<div>${plain}${plain}${plain}</div>`)
    const three = [...crowd.querySelectorAll('wechat-bind')]
    for (const element of three) await reach(element, 'ready')
    await server.parkedPoll()
    return three
  }

  test('asks once for a whole crowd of the same user, and all hear', async () => {
    const [one, ...others] = (await mountThree()) as [WechatBind]
    expect(server.countOf('binding')).to.equal(1)
    await bind(one)
    for (const other of others) await reach(other, 'bound')
    // No order is promised between a lock that is passed on and a message: the next in line may have asked before it heard.
    expect(server.countOf('binding')).to.be.oneOf([1, 2])
    await expectNothingPending()
  })

  test('goes on asking for who is left, whoever asked before', async () => {
    const [one, two, three] = (await mountThree()) as [WechatBind, WechatBind, WechatBind]
    one.remove()
    two.remove()
    await requestsToBe(1)
    await bind(three)
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
