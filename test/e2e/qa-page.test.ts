/** Tests the QA page: conditions in links, the ways to scan on a phone, and the traffic log. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import { chat, createFixture, follow, inState, reported, scan } from './demo-fixture.ts'

const fixture = createFixture()

/** Returns the test ids of the selects that are narrower than their longest option. This function runs in the page. */
function cutOffSelects(selects: Element[]): (string | undefined)[] {
  const cut = (selects as HTMLSelectElement[]).filter((select) => {
    const { offsetWidth } = select
    select.style.width = 'max-content'
    const isCut = select.offsetWidth > offsetWidth
    select.style.width = ''
    return isCut
  })
  return cut.map(({ dataset }) => dataset.testid)
}

describe('the conditions of the QA page', () => {
  test('are restored by a link, for example an errcode of WeChat', async () => {
    const page = await fixture.open()
    await inState(page, 'ready')
    await page.getByTestId('conditions').click()
    await page.getByTestId('set-errcode').selectOption('48001')
    await inState(page, 'error')
    const { search } = new URL(page.url())
    expect(search).toBe('?lang=en&errcode=48001')
    await page.close()
    await fixture.demo.set({})

    const again = await fixture.open(search.replace('?lang=en', ''))
    await inState(again, 'error')
    expect(await reported(again)).toMatchObject([{ type: 'binderror', detail: { code: 'WECHAT_FORBIDDEN' } }])
    await again.getByTestId('wire-entry').filter({ hasText: '/cgi-bin/qrcode/create' }).first().click()
    await again.getByText('48001 api unauthorized').first().waitFor()

    await again.getByTestId('conditions').click()
    await again.getByTestId('reset').click()
    await inState(again, 'ready')
    fixture.expectRefusals()
  })

  test('that a test has set stay when a page opens, and conditions that a page has set do not apply to other pages', async () => {
    const body = JSON.stringify({ confirm: 'code' })
    await fetch(`${fixture.demo.url}/demo/conditions`, { method: 'PUT', body })
    const [one, other] = [await fixture.open(), await fixture.open()]
    for (const page of [one, other]) await inState(page, 'ready')
    expect(fixture.demo.conditions().confirm).toBe('code')

    await one.getByTestId('conditions').click()
    await one.getByTestId('set-errcode').selectOption('48001')
    await inState(one, 'error')
    await other.locator('wechat-bind').evaluate((element) => (element as HTMLElement & { refresh(): void }).refresh())
    await scan(other)
    await follow(other)
    await inState(other, 'scanned')
    expect(fixture.demo.conditions()).toMatchObject({ confirm: 'code', errcode: 'none' })
    fixture.expectRefusals()
  })

  test.each([360, 768, 1280])('are not cut off and fit into a page of %i px', async (width) => {
    for (const lang of ['zh-CN', 'zh-TW', 'en']) {
      const page = await fixture.open()
      await page.setViewportSize({ width, height: 900 })
      await page.getByTestId(`lang-${lang}`).click()
      await page.getByTestId('conditions').click()
      expect(await page.locator('.setting select').evaluateAll(cutOffSelects), lang).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth), lang).toBeLessThanOrEqual(width)
      await page.close()
    }
  })

  test('can simulate a follow after 5 minutes on the follow page: it has no scene, and the chat asks for another scan', async () => {
    const page = await fixture.open('&follow=slow')
    await scan(page)
    await follow(page)
    await chat(page, '再扫一次').waitFor()
    await inState(page, 'ready')
    expect(await reported(page)).toEqual([])
    await scan(page)
    await inState(page, 'bound')
    expect((await reported(page)).map(({ type }) => type)).toEqual(['bound'])
  })
})

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Returns the violations that axe reports for the page. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } }
    const { violations } = await axe.run()
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`)
  })
}

describe('the QA page', () => {
  test.each(['light', 'dark'])('has no axe findings when every panel is open, in the %s theme', async (theme) => {
    const page = await fixture.open(`&theme=${theme}`)
    await inState(page, 'ready')
    await page.getByTestId('conditions').click()
    expect(await violationsOf(page), 'conditions').toEqual([])
    await scan(page)
    await page.getByTestId('follow-button').waitFor()
    expect(await violationsOf(page), 'follow page').toEqual([])
    await follow(page)
    await inState(page, 'bound')
    await chat(page, 'now bound').waitFor()
    await page.locator('[data-kind=callback]').first().click()
    expect(await violationsOf(page), 'chat and traffic log').toEqual([])
  })
})

/** Returns the distance in px from the bottom of the card to the bottom of the frame that contains it. */
const roomBelowCard = (page: Page, frame: string) =>
  page.evaluate((selector) => {
    const card = document.querySelector('wechat-bind')!.getBoundingClientRect()
    return document.querySelector(selector)!.getBoundingClientRect().bottom - card.bottom
  }, frame)

describe('the layout of the QA page', () => {
  test('displays the whole card and the whole phone at 1280 x 720', async () => {
    const page = await fixture.open()
    await page.setViewportSize({ width: 1280, height: 720 })
    await inState(page, 'ready')
    const bottomOf = (selector: string) =>
      page.locator(selector).evaluate((element) => element.getBoundingClientRect().bottom)
    expect(await bottomOf('wechat-bind')).toBeLessThanOrEqual(720)
    expect(await bottomOf('.screen')).toBeLessThanOrEqual(720)
  })

  test.each(['wechat', 'mobile'])('displays the whole card on the phone without scrolling (%s)', async (context) => {
    const page = await fixture.open(`&context=${context}`)
    await page.setViewportSize({ width: 1280, height: 720 })
    await inState(page, 'ready')
    expect(await roomBelowCard(page, '.screen')).toBeGreaterThanOrEqual(0)
  })

  test('displays one part at a time at a width of 360 px, and no part is taller than 1,100 px', async () => {
    const page = await fixture.open()
    await page.setViewportSize({ width: 360, height: 740 })
    await inState(page, 'ready')
    for (const part of ['phone', 'backEnd', 'traffic', 'site']) {
      await page.getByTestId(`part-${part}`).click()
      expect(await page.evaluate(() => document.documentElement.scrollHeight), part).toBeLessThan(1100)
    }
    // The camera of the phone can read the QR code, although the page is in a part that is not displayed.
    await page.getByTestId('scan-button').click()
    await follow(page)
    await inState(page, 'bound')
  })
})

describe('the phone', () => {
  test('inside WeChat, scans the QR code with a long press on the picture', async () => {
    const page = await fixture.open('&context=wechat')
    await inState(page, 'ready')
    await page.locator('wechat-bind').getByRole('button', { name: 'QR code' }).click()
    await page.locator('wechat-bind').getByRole('img').click({ delay: 700 })
    await page.getByTestId('recognise').click()
    await follow(page)
    await inState(page, 'bound')
    expect((await reported(page)).map(({ type }) => type)).toEqual(['bound'])
  })

  test('inside WeChat, binds with one tap and no scan, or displays that the person has declined', async () => {
    const page = await fixture.open('&context=wechat&authorize=decline')
    await inState(page, 'ready')
    const press = (name: string) => page.locator('wechat-bind').getByRole('button', { name }).click()
    await press('Bind this WeChat')
    await inState(page, 'error')
    await page.getByTestId('conditions').click()
    await page.getByTestId('set-authorize').selectOption('allow')
    await press('Try again')
    await press('Bind this WeChat')
    await inState(page, 'bound')
    expect(new URL(page.url()).hash).toBe('')
    await fixture.demo.simulator.phone('amy').closeAccount()
  })

  test('in another mobile browser, saves the picture and scans it from the album', async () => {
    const page = await fixture.open('&context=mobile')
    await inState(page, 'ready')
    await page.locator('wechat-bind').getByRole('link').click()
    await page.getByTestId('saved').waitFor()
    await page.getByTestId('person-bo').click()
    await page.getByTestId('scan-button').click()
    await page.getByTestId('scan-status').filter({ hasText: 'No QR code found' }).waitFor()
    expect(await page.getByTestId('album-button').count(), 'the picture is on the other phone').toBe(0)
    await page.getByTestId('person-amy').click()
    await page.getByTestId('scan-button').click()
    await page.getByTestId('album-button').click()
    await follow(page)
    await inState(page, 'bound')
  })
})

describe('a second phone', () => {
  test('opens the page in the browser that was selected for the first phone, even after a reload', async () => {
    const page = await fixture.open()
    await inState(page, 'ready')
    await page.getByTestId('conditions').click()
    await page.getByTestId('set-context').selectOption('wechat')
    await page.getByTestId('person-bo').click()
    await inState(page, 'ready')
    const screen = () => page.getByTestId('phone').getAttribute('data-screen')
    expect(await screen()).toBe('browser')
    await page.reload()
    await inState(page, 'ready')
    expect(await screen()).toBe('browser')
  })
})

describe('the traffic log', () => {
  test('begins with this visit, contains the code of a failure, and explains an aborted request', async () => {
    const first = await fixture.open('&errcode=48001')
    await inState(first, 'error')
    await first.getByTestId('wire-entry').filter({ hasText: 'binderror WECHAT_FORBIDDEN' }).waitFor()
    fixture.expectRefusals()
    await first.close()

    const page = await fixture.open()
    await inState(page, 'ready')
    // Waits for the long poll, which the change of the user below aborts.
    await page.getByTestId('wire-entry').filter({ hasText: '/widget/binding' }).filter({ hasText: 'pending' }).waitFor()
    expect(await page.getByTestId('wire-entry').filter({ hasText: 'Callback' }).count()).toBe(0)
    await page.getByTestId('user').selectOption('chen')
    await page.getByTestId('wire-entry').filter({ hasText: '499 ended by the page' }).waitFor()
    const shown = await page.getByTestId('wire-entry').count()
    await page.getByTestId('wire-earlier').click()
    expect(await page.getByTestId('wire-entry').count()).toBeGreaterThan(shown)
  })

  test('can be searched and filtered, displays requests as sent, and copies a request as a curl command', async () => {
    const page = await fixture.open('&wire=callback')
    await page.getByTestId('wire-clear').click()
    await scan(page)
    await follow(page)
    const entry = page.getByTestId('wire-entry')
    await entry.filter({ hasText: 'subscribe' }).waitFor()
    expect(await entry.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.kind))).toEqual(['callback'])

    await entry.click()
    await entry.getByText('<Encrypt><![CDATA[').first().waitFor()
    await entry.getByText('<Event><![CDATA[subscribe]]></Event>').waitFor()
    await entry.getByText('<Content><![CDATA[').waitFor()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await entry.getByTestId('copy-curl').click()
    await entry.getByText('Copied').waitFor()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    expect(copied).toMatch(/^curl -X POST 'http:\/\/127\.0\.0\.1:\d+\/wechat\/callback\?signature=/)

    await page.getByTestId('wire-search').fill('no such words')
    await page.getByText('No traffic yet.').waitFor()
    expect(new URL(page.url()).searchParams.get('q')).toBe('no such words')
  })
})
