/** Decodes screenshots of the card with two independent QR decoders, at several sizes, pixel ratios and themes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sharedBrowser } from '../support/browser.ts'
import { type Fixture, inState, openFixture, STRICT } from '../support/browser-fixture.ts'
import { QR_TEXT } from '../support/fake-bind.ts'
import { readPicture } from '../support/read-picture.ts'

const SIDES = [160, 200, 256, 320]
const DENSITIES = [1, 2, 3]
const WECHAT = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile MicroMessenger/8.0.49'

const browser = await sharedBrowser()
let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture({
    policy: `${STRICT}; img-src data:; style-src 'self'`,
    expiresIn: 3600,
  })
})
afterAll(async () => {
  await fixture.close()
})

describe.each([
  { device: 'a desktop', userAgent: undefined },
  { device: 'WeChat', userAgent: WECHAT },
])('the QR code on $device', ({ userAgent }) => {
  test.each(DENSITIES)(
    'can be decoded at every size and in both themes, at a device pixel ratio of %i',
    async (deviceScaleFactor) => {
      const context = await browser.newContext({ userAgent, deviceScaleFactor, viewport: { width: 480, height: 640 } })
      const page = await context.newPage()
      await page.goto(fixture.url)
      await inState(page, 'ready')
      const read: Record<string, (string | undefined)[]> = {}
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const side of SIDES) {
          const tile = page.locator('wechat-bind').locator('[part~=tile]')
          await page.locator('wechat-bind').evaluate((card, side) => {
            ;(card as HTMLElement).style.setProperty('--wechat-bind-qr-size', `${side}px`)
          }, side)
          expect((await tile.boundingBox())?.width).toBe(side)
          // The screenshot contains the whole card. Like a camera, the decoder must find the QR code in it.
          read[`${colorScheme} ${side}`] = await readPicture(await page.locator('wechat-bind').screenshot())
        }
      }
      await context.close()
      expect(Object.entries(read).filter(([, texts]) => texts.some((text) => text !== QR_TEXT))).toEqual([])
    },
  )
})
