/** Ten stories of binding, each told in a real browser: the demo page, the bind server and the simulated WeChat over real HTTP. */
import { describe, expect, test } from 'vitest'
import { backEndKnows, chat, follow, inState, scan, setStage, told, unfollow } from './demo-fixture.ts'

const stage = setStage()

describe('binding', () => {
  test('first bind: a newcomer scans, follows, and everyone hears of it at once', async () => {
    const page = await stage.open()
    await scan(page)
    await follow(page)

    await inState(page, 'bound')
    await chat(page, 'now linked to li***@example.com').waitFor()
    await backEndKnows(page, true)
    await page.getByTestId('wire-entry').filter({ hasText: 'binding.bound' }).waitFor()

    const [bound] = await told(page)
    expect(bound).toMatchObject({ type: 'bound', detail: { initial: false } })
    const callback = stage.demo.wire.since(0).find(({ kind }) => kind === 'callback')
    console.log(`callback's arrival to the bound event in the page: ${Math.round(bound!.at - callback!.at)} ms`)
  })

  test('already following: one scan is enough, and a reloaded page knows it from the start', async () => {
    await stage.demo.simulator.phone('amy').follow()
    const page = await stage.open()
    await scan(page)
    await inState(page, 'bound')

    await page.reload()
    await inState(page, 'bound')
    expect(await told(page)).toMatchObject([{ type: 'bound', detail: { initial: true } }])
  })

  test('expiry and refresh: an ended code cannot be scanned from the screen, the one after a click can', async () => {
    const page = await stage.open('&ticket=ended')
    await inState(page, 'expired')
    expect(await told(page)).toMatchObject([{ type: 'expired' }])
    await page.getByTestId('scan-button').click()
    await page.getByTestId('scan-status').filter({ hasText: 'No QR code found' }).waitFor()

    await stage.demo.set({ ticket: 'normal' })
    await page.locator('wechat-bind').getByRole('button').click()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
  })

  test('conflict: a WeChat that another user has is turned away, and the page goes on showing its code', async () => {
    const page = await stage.open('&person=cai')
    await scan(page)
    await chat(page, 'linked to another account').waitFor()
    await inState(page, 'ready')
    expect(await told(page)).toEqual([])
  })

  test('code confirm: only who holds the phone can type what it shows', async () => {
    const page = await stage.open('&confirm=code')
    await scan(page)
    await follow(page)
    await inState(page, 'scanned')
    const [digits = ''] = /\b\d{4}\b/.exec(await chat(page, 'type on the page').innerText()) ?? []
    const field = page.locator('wechat-bind').getByRole('textbox')

    await field.fill(digits === '0000' ? '1111' : '0000')
    await page.locator('wechat-bind').getByText('Tries left: 2').waitFor()
    stage.expectRefusals()
    await field.fill(digits)
    await inState(page, 'bound')
    expect((await told(page)).map(({ type }) => type)).toEqual(['scanned', 'binderror', 'bound'])
  })

  test('text path on a phone: who cannot scan their own screen sends a line to the account', async () => {
    await stage.demo.simulator.phone('amy').follow()
    const page = await stage.open('&context=mobile')
    await inState(page, 'ready')
    await page.locator('wechat-bind').getByRole('button', { name: 'Can’t scan?' }).click()
    const line = await page.locator('wechat-bind').locator('code').innerText()

    await page.getByTestId('dock-wechat').click()
    await page.getByTestId('chat-cell').click()
    await page.getByTestId('chat-input').fill(line)
    await page.getByTestId('send-button').click()
    await chat(page, 'now linked').waitFor()
    await page.getByTestId('dock-browser').click()
    await inState(page, 'bound')
    expect((await told(page)).map(({ type }) => type)).toEqual(['bound'])
  })

  test('offline and back: the page says so, and goes on by itself', async () => {
    const page = await stage.open()
    await inState(page, 'ready')
    await page.getByTestId('conditions').click()
    await page.getByTestId('set-network').selectOption('down')
    await inState(page, 'offline')

    await page.getByTestId('set-network').selectOption('up')
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    expect((await told(page)).map(({ type }) => type)).toEqual(['bound'])
  })

  test('unfollow: leaving the account unbinds and erases, and the page shows a new code', async () => {
    const page = await stage.open()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await backEndKnows(page, true)

    await unfollow(page)
    await inState(page, 'ready')
    expect((await told(page)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'unsubscribe' } })
    await backEndKnows(page, false)
  })

  test('disconnect from the back end: the page hears of it, and its next code works', async () => {
    const page = await stage.open()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await page.getByTestId('disconnect-button').click()
    await inState(page, 'ready')
    expect((await told(page)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'disconnect' } })
    await scan(page)
    await inState(page, 'bound')
  })

  test('two tabs: what happens in one shows in the other', async () => {
    const one = await stage.open()
    const other = await stage.open()
    await inState(other, 'ready')
    await one.bringToFront()
    await scan(one)
    await follow(one)
    await Promise.all([inState(one, 'bound'), inState(other, 'bound')])

    await other.bringToFront()
    const card = other.locator('wechat-bind')
    await card.getByRole('button', { name: 'Unlink' }).click()
    await card.getByRole('button', { name: 'Unlink' }).last().click()
    await Promise.all([inState(one, 'ready'), inState(other, 'ready')])
    expect((await told(one)).at(-1)).toMatchObject({ type: 'unbound', detail: { reason: 'widget' } })
  })
})
