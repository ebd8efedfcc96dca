/**
 * Every state of the element, for the contact sheet. A scene reaches its state only by actions on the page and by
 * answers of the fake server.
 */
import type { Page } from 'playwright'
import { type Fixture, type FixtureOptions, inState, openFixture, STRICT } from './browser-fixture.ts'
import { setOffline } from './network.ts'

export type Scene = {
  name: string
  /** The attributes of the tag, without `token`. */
  attributes?: string
  /** The content of the tag. */
  content?: string
  options?: FixtureOptions
  /** The browser that the scene needs. */
  userAgent?: string
  /** Prepares the fake server. Called before the page is opened. */
  prepare?: (fixture: Fixture) => void
  /** Brings the opened page into the state of the scene. */
  reach: (page: Page, fixture: Fixture) => Promise<void>
}

const ready = (page: Page) => inState(page, 'ready')

/** Presses the button with this index, because the text of a button depends on the language. */
const press = (page: Page, index = 0) => page.locator('wechat-bind').getByRole('button').nth(index).click()

async function scan(page: Page, fixture: Fixture, confirm: 'reply' | 'code'): Promise<void> {
  await ready(page)
  await fixture.bind.untilPolling()
  fixture.bind.change({ state: 'scanned', confirm })
  await inState(page, 'scanned')
}

async function bind(page: Page, fixture: Fixture): Promise<void> {
  await ready(page)
  await fixture.bind.untilPolling()
  fixture.bind.bind()
  await inState(page, 'bound')
}

const refused = (code: string, status: number) => ({
  prepare: ({ bind }: Fixture) => bind.refuse('qrcode', { code, status }),
  reach: (page: Page) => inState(page, 'error'),
})

const PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile'

/** A page inside WeChat. The server offers the authorization in WeChat. */
const inWechat = {
  options: { oauth: true, account: '安客科技 Anke' },
  userAgent: `${PHONE} MicroMessenger/8.0.49`,
} as const

/** Opens the page again, as WeChat does after the authorization. */
async function comeBack(page: Page): Promise<void> {
  const url = page.url()
  await page.goto('about:blank')
  await page.goto(`${url}#wechat-bind=proof`)
}

export const scenes: Scene[] = [
  { name: 'manual', attributes: 'manual', reach: (page) => inState(page, 'idle') },
  { name: 'loading', prepare: ({ bind }) => bind.holdQrRequests(), reach: (page) => inState(page, 'loading') },
  { name: 'ready', reach: ready },
  {
    name: 'text to send',
    async reach(page) {
      await ready(page)
      await press(page)
      await page.locator('wechat-bind').locator('[part~=code]').waitFor()
    },
  },
  {
    name: 'text to send, with the name of the account',
    options: { account: '安客科技 Anke' },
    async reach(page) {
      await ready(page)
      await press(page)
      await page.locator('wechat-bind').locator('[part~=code]').waitFor()
    },
  },
  {
    name: 'refused scan',
    async reach(page, fixture) {
      await ready(page)
      await fixture.bind.untilPolling()
      fixture.bind.change({ state: 'unbound', notice: 'conflict' })
      await page.locator('wechat-bind .problem').waitFor()
    },
  },
  {
    name: 'scan of an expired code',
    async reach(page, fixture) {
      await ready(page)
      await fixture.bind.untilPolling()
      fixture.bind.change({ state: 'unbound', notice: 'expired_scan' })
      await page.locator('wechat-bind .problem').waitFor()
    },
  },
  { name: 'one tap', ...inWechat, reach: ready },
  {
    name: 'one tap, QR code',
    ...inWechat,
    async reach(page) {
      await ready(page)
      await press(page, 1)
      await page.locator('wechat-bind').locator('img').waitFor()
    },
  },
  {
    name: 'one tap, refused',
    ...inWechat,
    prepare: ({ bind }) => bind.refuse('oauth', { code: 'RATE_LIMITED', status: 403 }),
    async reach(page) {
      await ready(page)
      await press(page)
      await page.locator('wechat-bind .problem').waitFor()
    },
  },
  {
    name: 'not following',
    ...inWechat,
    async reach(page) {
      await comeBack(page)
      await inState(page, 'bound')
    },
  },
  {
    name: 'link to WeChat',
    options: { oauth: true },
    userAgent: PHONE,
    async reach(page) {
      await ready(page)
      await press(page)
      await press(page, 2)
      await page.locator('wechat-bind').locator('.link').waitFor()
    },
  },
  { name: 'scanned, reply', reach: (page, fixture) => scan(page, fixture, 'reply') },
  { name: 'scanned, code', reach: (page, fixture) => scan(page, fixture, 'code') },
  {
    name: 'wrong code',
    async reach(page, fixture) {
      await scan(page, fixture, 'code')
      await page.locator('wechat-bind').getByRole('textbox').fill('1111')
      await page.locator('wechat-bind [aria-invalid=true]').waitFor()
    },
  },
  { name: 'bound', reach: bind },
  {
    name: 'bound before',
    prepare: ({ bind }) => bind.bind(),
    reach: (page) => inState(page, 'bound'),
  },
  {
    name: 'unbind?',
    prepare: ({ bind }) => bind.bind(),
    async reach(page) {
      await inState(page, 'bound')
      await press(page)
      await page.locator('wechat-bind').getByRole('button').nth(1).waitFor()
    },
  },
  {
    name: 'expired',
    attributes: 'refresh="manual"',
    options: { expiresIn: 1 },
    reach: (page) => inState(page, 'expired'),
  },
  {
    name: 'offline',
    async reach(page) {
      await ready(page)
      await setOffline(page.context(), true)
      await inState(page, 'offline')
    },
  },
  { name: 'refused', ...refused('WECHAT_FORBIDDEN', 502) },
  { name: 'signed out', ...refused('TOKEN_EXPIRED', 401) },
  { name: 'too many', ...refused('RATE_LIMITED', 403) },
  { name: 'small', attributes: 'size="small"', reach: ready },
  { name: 'large', attributes: 'size="large"', reach: ready },
  { name: 'button', attributes: 'display="button"', reach: (page) => inState(page, 'idle') },
  {
    name: 'button, bound',
    attributes: 'display="button"',
    prepare: ({ bind }) => bind.bind(),
    reach: (page) => inState(page, 'bound'),
  },
  {
    name: 'dialog',
    attributes: 'display="button"',
    async reach(page) {
      await inState(page, 'idle')
      await press(page)
      await ready(page)
    },
  },
  {
    name: 'long title',
    content: `<b slot="title">Donaudampfschifffahrtsgesellschaftsbenachrichtigungen</b>`,
    reach: ready,
  },
  {
    name: 'slots',
    content: `<b slot="title">Acme</b><span slot="description">Mentions reach you in WeChat.</span>
      <small slot="footer">You can unbind at any time.</small>`,
    reach: ready,
  },
]

/** Opens a fixture for the scene. */
export function openScene({ attributes = '', content = '', options, prepare }: Scene): Promise<Fixture> {
  const body = `<main><wechat-bind token="token" ${attributes}>${content}</wechat-bind></main>`
  const style = '<link rel="stylesheet" href="/page.css" />'
  return openFixture({
    policy: `${STRICT}; style-src 'self'; img-src data:`,
    body: `${style}${body}`,
    ...options,
  }).then((fixture) => {
    prepare?.(fixture)
    return fixture
  })
}
