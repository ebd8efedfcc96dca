/**
 * Tests twelve flows of binding and unbinding in a real browser, with the demo page, the bind server and the simulated
 * WeChat over real HTTP. `npm run test:engines` runs them in every engine.
 */
import { describe, expect, test } from 'vitest'
import { button, card, choose, click, fill, inState, testId, textOf } from '../support/driver.ts'
import {
  backEndReports,
  chat,
  createFixture,
  entry,
  eventsOf,
  expectEvents,
  follow,
  scan,
  unfollow,
} from './story-fixture.ts'

const fixture = createFixture()

describe('binding', () => {
  test('first binding: a new follower scans the QR code and follows, and then the page, the chat and the back end display the binding at once', async () => {
    const page = await fixture.open()
    await scan(page)
    await follow(page)

    await inState(page, 'bound')
    await textOf(page, chat('now bound to “li***@example.com”'))
    await backEndReports(page, true)
    await textOf(page, entry('binding.bound'))
    await expectEvents(page, ['bound'])
  })

  test('follower: a scan binds without another step, and a reloaded page reports the existing binding', async () => {
    await fixture.demo.simulator.phone('amy').follow()
    const page = await fixture.open()
    await scan(page)
    await inState(page, 'bound')

    await page.reload()
    await inState(page, 'bound')
    await expectEvents(page, ['bound (initial)'])
  })

  test('expiry: an expired QR code is hidden, and a click displays a new QR code', async () => {
    const page = await fixture.open('&ticket=ended')
    await inState(page, 'expired')
    await expectEvents(page, ['expired'])
    await click(page, testId('scan-button'))
    await textOf(page, { ...testId('scan-status'), text: 'No QR code found' })

    await fixture.demo.set({ ticket: 'normal' })
    await click(page, button())
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
  })

  test('conflict: a WeChat account bound to another user is rejected, and the page keeps its QR code', async () => {
    const page = await fixture.open('&person=cai')
    await scan(page)
    await textOf(page, chat('bound to another account'))
    await inState(page, 'ready')
    expect((await eventsOf(page)).filter((event) => !event.startsWith('refused'))).toEqual([])
  })

  test('confirmation by code: the page accepts the digits that the chat displays, and rejects other digits', async () => {
    const page = await fixture.open('&confirm=code')
    await scan(page)
    await follow(page)
    await inState(page, 'scanned')
    const [digits = ''] = /\b\d{4}\b/.exec(await textOf(page, chat('type on the page'))) ?? []
    const field = { css: 'input', within: card }

    fixture.expectRefusals()
    await fill(page, field, digits === '0000' ? '1111' : '0000')
    await textOf(page, { css: '#hint', text: 'Tries left: 2', within: card })
    await fill(page, field, digits)
    await inState(page, 'bound')
    await expectEvents(page, ['scanned', 'binderror WRONG_CODE', 'bound'])
  })

  test('confirmation in the chat: the link in the newest message binds, and the link in an older message does not', async () => {
    const amy = fixture.demo.simulator.phone('amy')
    await amy.follow()
    const page = await fixture.open('&confirm=reply')
    await scan(page)
    await inState(page, 'scanned')
    await textOf(page, chat('Bind this WeChat to'))
    await page.run(() => (document.querySelector('wechat-bind') as unknown as { refresh(): void }).refresh())
    await scan(page)
    await inState(page, 'scanned')
    const confirm = { css: 'button, a', text: 'Confirm', within: chat('Bind this WeChat to') }
    await textOf(page, { ...confirm, at: 1 })

    await click(page, { ...confirm, at: 0 })
    await textOf(page, chat('This QR code no longer works'))
    await expectEvents(page, ['scanned', 'scanned'])
    await click(page, { ...confirm, at: 1 })
    await inState(page, 'bound')
  })

  test('text instead of a scan: a user on a phone sends the text to the account', async () => {
    await fixture.demo.simulator.phone('amy').follow()
    const page = await fixture.open('&context=mobile')
    await inState(page, 'ready')
    await click(page, button('Can’t scan?'))
    const line = await textOf(page, { css: 'code', within: card })

    await click(page, testId('dock-wechat'))
    await click(page, testId('chat-cell'))
    await fill(page, testId('chat-input'), line)
    await click(page, testId('send-button'))
    await textOf(page, chat('now bound'))
    await click(page, testId('dock-browser'))
    await inState(page, 'bound')
    await expectEvents(page, ['bound'])
  })

  test('offline: the element displays that it is offline, and continues by itself when the network is back', async () => {
    const page = await fixture.open()
    await inState(page, 'ready')
    await click(page, testId('conditions'))
    await choose(page, testId('set-network'), 'down')
    await inState(page, 'offline')

    await choose(page, testId('set-network'), 'up')
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await expectEvents(page, ['bound'])
  })

  test('unfollow: the binding is removed, and the page displays a new QR code', async () => {
    const page = await fixture.open()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await backEndReports(page, true)

    await unfollow(page)
    await inState(page, 'ready')
    await expectEvents(page, ['bound', 'unbound unsubscribe'])
    await backEndReports(page, false)
  })

  test('unbinding by the back end: the page displays a new QR code, and a scan of it binds', async () => {
    const page = await fixture.open()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await click(page, testId('disconnect-button'))
    await inState(page, 'ready')
    await expectEvents(page, ['bound', 'unbound disconnect'])
    await scan(page)
    await inState(page, 'bound')
  })

  test('unbinding of an unbound user: the page replaces its QR code by itself, and the earlier QR code binds nobody', async () => {
    const page = await fixture.open()
    await inState(page, 'ready')
    const { url: bind, simulator } = fixture.demo
    const newest = () => simulator.memory().qrcodes.at(-1)?.url
    const earlier = newest()
    const { token } = (await (await fetch(`${bind}/host/token?user=lin`)).json()) as { token: string }
    await fetch(`${bind}/widget/binding`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } })
    await expect.poll(newest).not.toBe(earlier)

    const amy = simulator.phone('amy')
    await amy.scan(earlier, { follow: true })
    expect(amy.chat.at(-1)?.content).toContain('This QR code no longer works')
    await inState(page, 'ready')
    await scan(page)
    await inState(page, 'bound')
  })

  test('two tabs: a change in one tab is displayed in the other tab', async () => {
    const one = await fixture.open()
    const other = await fixture.open()
    await inState(other, 'ready')
    await one.show()
    await scan(one)
    await follow(one)
    await inState(one, 'bound')

    await other.show()
    await inState(other, 'bound')
    await click(other, button('Unbind'))
    await textOf(other, { css: '[part=status]', text: 'Unbind WeChat?', within: card })
    await click(other, button('Unbind', -1))
    await inState(other, 'ready')
    await one.show()
    await inState(one, 'ready')
    await expectEvents(one, ['bound', 'unbound widget'])
  })
})
