/**
 * Tests twelve flows of binding and unbinding in a real browser, with the demo page, the bind server and the simulated
 * WeChat over real HTTP.
 */
import { describe, expect, test } from 'vitest'
import { backEndReports, chat, createFixture, follow, inState, reported, scan, unfollow } from './demo-fixture.ts'

const fixture = createFixture()

describe('binding', () => {
  test('first binding: a person who is not a follower scans and follows, and the page, the chat and the back end display the binding at once', async () => {
    const page = await fixture.open()
    await scan(page)
    await follow(page)

    await inState(page, 'bound')
    await chat(page, 'now bound to “li***@example.com”').waitFor()
    await backEndReports(page, true)
    await page.getByTestId('wire-entry').filter({ hasText: 'binding.bound' }).waitFor()

    const [bound] = await reported(page)
    expect(bound).toMatchObject({ type: 'bound', detail: { initial: false } })
    const callback = fixture.demo.wire.since(0).find(({ kind }) => kind === 'callback')
    console.log(`callback's arrival to the bound event in the page: ${Math.round(bound!.at - callback!.at)} ms`)
  })

  test('follower: a scan binds without another step, and a reloaded page reports the existing binding', async () => {
    await fixture.demo.simulator.phone('amy').follow()
    const page = await fixture.open()
    await scan(page)
    await inState(page, 'bound')

    await page.reload()
    await inState(page, 'bound')
    expect(await reported(page)).toMatchObject([{ type: 'bound', detail: { initial: true } }])
  })

  test('expiry: an expired QR code is hidden, and a click displays a new QR code', async () => {
    const page = await fixture.open('&ticket=ended')
    await inState(page, 'expired')
    expect(await reported(page)).toMatchObject([{ type: 'expired' }])
    await page.getByTestId('scan-button').click()
    await page.getByTestId('scan-status').filter({ hasText: 'No QR code found' }).waitFor()

    await fixture.demo.set({ ticket: 'normal' })
    await page.locator('wechat-bind').getByRole('button').click()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
  })

  test('conflict: a WeChat account bound to another user is rejected, and the page keeps its QR code', async () => {
    const page = await fixture.open('&person=cai')
    await scan(page)
    await chat(page, 'bound to another account').waitFor()
    await inState(page, 'ready')
    expect(await reported(page)).toEqual([])
  })

  test('confirmation by code: the page accepts the digits that the chat displays, and rejects other digits', async () => {
    const page = await fixture.open('&confirm=code')
    await scan(page)
    await follow(page)
    await inState(page, 'scanned')
    const [digits = ''] = /\b\d{4}\b/.exec(await chat(page, 'type on the page').innerText()) ?? []
    const field = page.locator('wechat-bind').getByRole('textbox')

    await field.fill(digits === '0000' ? '1111' : '0000')
    await page.locator('wechat-bind').getByText('Tries left: 2').waitFor()
    fixture.expectRefusals()
    await field.fill(digits)
    await inState(page, 'bound')
    expect((await reported(page)).map(({ type }) => type)).toEqual(['scanned', 'binderror', 'bound'])
  })

  test('confirmation in the chat: the link in the newest message binds, and the link in an older message does not', async () => {
    const amy = fixture.demo.simulator.phone('amy')
    await amy.follow()
    const page = await fixture.open('&confirm=reply')
    await scan(page)
    await inState(page, 'scanned')
    await chat(page, 'Bind this WeChat to').waitFor()
    await page.evaluate(() => (document.querySelector('wechat-bind') as { refresh?: () => void } | null)?.refresh?.())
    await scan(page)
    await inState(page, 'scanned')
    const confirms = chat(page, 'Bind this WeChat to').getByRole('button', { name: 'Confirm' })
    await confirms.nth(1).waitFor()

    await confirms.first().click()
    await chat(page, 'This QR code no longer works').waitFor()
    expect((await reported(page)).map(({ type }) => type)).toEqual(['scanned', 'scanned'])
    await confirms.last().click()
    await inState(page, 'bound')
  })

  test('text instead of a scan: a user on a phone sends the text to the account', async () => {
    await fixture.demo.simulator.phone('amy').follow()
    const page = await fixture.open('&context=mobile')
    await inState(page, 'ready')
    await page.locator('wechat-bind').getByRole('button', { name: 'Can’t scan?' }).click()
    const line = await page.locator('wechat-bind').locator('code').innerText()

    await page.getByTestId('dock-wechat').click()
    await page.getByTestId('chat-cell').click()
    await page.getByTestId('chat-input').fill(line)
    await page.getByTestId('send-button').click()
    await chat(page, 'now bound').waitFor()
    await page.getByTestId('dock-browser').click()
    await inState(page, 'bound')
    expect((await reported(page)).map(({ type }) => type)).toEqual(['bound'])
  })

  test('offline: the element displays that it is offline, and continues by itself when the network is back', async () => {
    const page = await fixture.open()
    await inState(page, 'ready')
    await page.getByTestId('conditions').click()
    await page.getByTestId('set-network').selectOption('down')
    await inState(page, 'offline')

    await page.getByTestId('set-network').selectOption('up')
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    expect((await reported(page)).map(({ type }) => type)).toEqual(['bound'])
  })

  test('unfollow: the binding is removed, and the page displays a new QR code', async () => {
    const page = await fixture.open()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await backEndReports(page, true)

    await unfollow(page)
    await inState(page, 'ready')
    expect((await reported(page)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'unsubscribe' } })
    await backEndReports(page, false)
  })

  test('unbinding by the back end: the page displays a new QR code, and a scan of it binds', async () => {
    const page = await fixture.open()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await page.getByTestId('disconnect-button').click()
    await inState(page, 'ready')
    expect((await reported(page)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'disconnect' } })
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
    await one.bringToFront()
    await scan(one)
    await follow(one)
    await Promise.all([inState(one, 'bound'), inState(other, 'bound')])

    await other.bringToFront()
    const card = other.locator('wechat-bind')
    await card.getByRole('button', { name: 'Unbind' }).click()
    await card.getByRole('button', { name: 'Unbind' }).last().click()
    await Promise.all([inState(one, 'ready'), inState(other, 'ready')])
    expect((await reported(one)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'widget' } })
  })
})
