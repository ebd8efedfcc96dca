/**
 * Tests the binding with one tap inside WeChat in a real browser, with a site, the bind server and the simulated
 * open.weixin.qq.com over real HTTP.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import type { BrowserContext, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { type Listening, startListening, stopListening } from '../../server/http/listen.ts'
import { sharedBrowser } from '../support/browser.ts'
import { inState, readWidget } from '../support/browser-fixture.ts'

const WECHAT = 'Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile MicroMessenger/8.0.49'

const AUTHORIZE = '**/connect/oauth2/authorize?*'

/** A site with a strict content policy. It reads the user from the path and not from a session. */
const createSite = () =>
  new Hono()
    .get('/wechat-bind.js', (c) => c.body(readWidget(), 200, { 'Content-Type': 'text/javascript' }))
    .get('/token/:user', async (c) => c.json(await fromDemo(`host/token?user=${c.req.param('user')}`)))
    .get('/:user', (c) =>
      c.html(
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>Account</title>
<script type="module" src="/wechat-bind.js"></script>
<wechat-bind server="${demo.url}" token-url="/token/${c.req.param('user')}"></wechat-bind>`,
        200,
        {
          'Content-Security-Policy': `default-src 'none'; script-src 'self'; connect-src 'self' ${demo.url}; img-src data:`,
        },
      ),
    )

const fromDemo = async (path: string, method = 'GET') => (await fetch(`${demo.url}/${path}`, { method })).json()

const browser = await sharedBrowser()
let site: Listening
let demo: Demo
let folder: string
let context: BrowserContext

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  site = await startListening(createSite(), '127.0.0.1', 0)
  demo = await startDemo({ env: { PORT: '0', LOG_LEVEL: 'silent', ALLOWED_ORIGINS: site.url }, dataDir: folder })
})
afterAll(async () => {
  await demo.close()
  await stopListening(site.server)
  rmSync(folder, { recursive: true })
})

beforeEach(async () => {
  context = await enterWechat('amy')
})
afterEach(async () => {
  await context.close()
  for (const user of ['lin', 'chen']) await disconnect(user)
  await demo.simulator.phone('amy').unfollow()
})

/** Opens a browser context inside the WeChat of `person`. */
async function enterWechat(person: string): Promise<BrowserContext> {
  const context = await browser.newContext({ userAgent: `${WECHAT} simulated-person/${person}` })
  context.setDefaultTimeout(15_000)
  await context.addInitScript(() => {
    const events: unknown[] = []
    Object.assign(globalThis, { events })
    for (const type of ['bound', 'binderror', 'unbound']) {
      document.addEventListener(type, (event) => {
        const { code, initial } = (event as CustomEvent<{ code?: string; initial?: boolean }>).detail
        events.push([type, code ?? initial])
      })
    }
  })
  return context
}

const urlOf = (user: string, fragment = '') => `${site.url}/${user}${fragment}`

async function open(user = 'lin', fragment = ''): Promise<Page> {
  const page = await context.newPage()
  await page.goto(urlOf(user, fragment))
  return page
}

const card = (page: Page) => page.locator('wechat-bind')

const tap = (page: Page) => card(page).getByRole('button', { name: 'Bind this WeChat' }).click()

const eventsOf = (page: Page) => page.evaluate(() => (globalThis as unknown as { events: unknown[] }).events)

const isBound = async (user: string): Promise<boolean> => (await fromDemo(`host/bind-info?user=${user}`)).isBound

const disconnect = (user: string) => fromDemo(`host/disconnect?user=${user}`, 'POST')

/**
 * Replaces the URL of the bind server to which WeChat redirects the browser. If `change` returns no URL, the request to
 * WeChat is aborted.
 */
const sendBack = (change: (url: string) => string | undefined | Promise<string | undefined>) =>
  context.route(AUTHORIZE, async (route) => {
    const { location = '' } = (await route.fetch({ maxRedirects: 0 })).headers()
    const changed = await change(location)
    return changed ? route.fulfill({ status: 302, headers: { location: changed } }) : route.abort()
  })

/**
 * Taps the button, and stops the browser before it follows WeChat's redirect. Returns the URL of this redirect, which
 * is a URL of the bind server.
 */
async function tapAndStop(page: Page): Promise<string> {
  const stopped = Promise.withResolvers<string>()
  await sendBack((url) => void stopped.resolve(url))
  await tap(page)
  const url = await stopped.promise
  await context.unrouteAll({ behavior: 'wait' })
  return url
}

/** Returns the URL of the page with the proof, to which the bind server redirects. */
async function follow(url: string): Promise<string> {
  return (await fetch(url, { redirect: 'manual' })).headers.get('Location') ?? ''
}

describe('one tap inside WeChat', () => {
  test('binds, keeps the URL of the page, and asks the user to follow the account until the user follows it', async () => {
    const page = await open()
    await tap(page)
    await inState(page, 'bound')
    expect(page.url()).toBe(urlOf('lin'))
    expect(await eventsOf(page)).toEqual([['bound', false]])
    expect(await isBound('lin')).toBe(true)
    await card(page).getByText('to get its messages').waitFor()
    await card(page).locator('img').waitFor()

    await demo.simulator.phone('amy').follow()
    await card(page).getByText('Bound on').waitFor()
    expect(await card(page).locator('img').count()).toBe(0)
    expect(await eventsOf(page)).toEqual([['bound', false]])
  })

  test('displays an existing binding, and no button', async () => {
    const page = await open()
    await tap(page)
    await inState(page, 'bound')
    await page.reload()
    await inState(page, 'bound')
    expect(await eventsOf(page)).toEqual([['bound', true]])
    expect(await card(page).getByRole('button', { name: 'Bind this WeChat' }).count()).toBe(0)
  })

  test('refuses a WeChat that is bound to another account', async () => {
    const other = await open('chen')
    await tap(other)
    await inState(other, 'bound')
    const page = await open('lin')
    await tap(page)
    await inState(page, 'error')
    await card(page).getByText('This WeChat is bound to another account').waitFor()
    expect(await eventsOf(page)).toEqual([['binderror', 'CONFLICT']])
    expect(page.url()).toBe(urlOf('lin'))
  })

  test.each([
    ['a refusal by the user', 'DECLINED', async () => answerWith('decline')],
    ['an expired code (40029)', 'PROOF_EXPIRED', async () => changeCode(() => 'expired')],
    ['a repeated code (40163)', 'PROOF_EXPIRED', async () => changeCode(useCode)],
  ])('displays the reason and lets the user try again after %s', async (_what, code, prepare) => {
    await prepare()
    const page = await open('lin', '#/account')
    await tap(page)
    await inState(page, 'error')
    expect(await eventsOf(page)).toEqual([['binderror', code]])
    expect(page.url()).toBe(urlOf('lin', '#/account'))
    await context.unrouteAll({ behavior: 'wait' })
    await card(page).getByRole('button', { name: 'Try again' }).click()
    await inState(page, 'ready')
    expect(await isBound('lin')).toBe(false)
  })

  /** The person's answer in WeChat. */
  const answerWith = (answer: string) =>
    context.route(AUTHORIZE, (route) => route.continue({ url: `${route.request().url()}&answer=${answer}` }))

  const changeCode = (change: (code: string) => string | Promise<string>) =>
    sendBack(async (location) => {
      const url = new URL(location)
      url.searchParams.set('code', await change(url.searchParams.get('code') ?? ''))
      return url.href
    })

  /** Another program uses the code before the bind server. */
  async function useCode(code: string): Promise<string> {
    const { appId, appSecret } = demo.simulator.account
    const query = new URLSearchParams({ appid: appId, secret: appSecret, code, grant_type: 'authorization_code' })
    await fetch(`${demo.url}/simulator/sns/oauth2/access_token?${query}`)
    return code
  }

  test('accepts a state and a proof only once', async () => {
    const page = await open()
    const url = await tapAndStop(page)
    const returned = await follow(url)
    expect(await follow(url)).toBe(urlOf('lin', '#wechat-bind-error=PROOF_EXPIRED'))
    await page.goto(returned)
    await inState(page, 'bound')
    await disconnect('lin')
    const again = await context.newPage()
    await again.goto(returned)
    await inState(again, 'error')
    expect(await eventsOf(again)).toEqual([['binderror', 'PROOF_EXPIRED']])
    expect(await isBound('lin')).toBe(false)
  })

  test('binds nobody with a proof on the page of another user', async () => {
    const page = await open('lin')
    const returned = await follow(await tapAndStop(page))
    const victim = await context.newPage()
    await victim.goto(returned.replace('/lin', '/chen'))
    await inState(victim, 'error')
    expect(await eventsOf(victim)).toEqual([['binderror', 'FORBIDDEN']])
    expect([await isBound('lin'), await isBound('chen')]).toEqual([false, false])
  })

  test('opens WeChat only for a page of an allowed origin', async () => {
    const page = await open()
    await inState(page, 'ready')
    await context.route('**/widget/oauth', (route) =>
      route.continue({ postData: JSON.stringify({ return: 'https://evil.example/' }) }),
    )
    await tap(page)
    await expect.poll(() => eventsOf(page)).toEqual([['binderror', 'BAD_REQUEST']])
    await card(page).locator('.problem').waitFor()
    expect(page.url()).toBe(urlOf('lin'))
  })

  test('keeps the fragment of a hash router', async () => {
    const page = await open('lin', '#/account?tab=2')
    await tap(page)
    await inState(page, 'bound')
    expect(page.url()).toBe(urlOf('lin', '#/account?tab=2'))
  })

  test('binds after the user has returned from the page of WeChat with the back button, and the back button then leads to the bound page', async () => {
    await context.close()
    // This browser belongs to no phone, so the simulated WeChat displays a page that asks for the phone.
    context = await enterWechat('')
    const page = await open()
    await tap(page)
    await page.getByRole('link', { name: '允许 Allow' }).first().waitFor()
    await page.goBack()
    await tap(page)
    await page.getByRole('link', { name: '允许 Allow' }).first().click()
    await inState(page, 'bound')
    await page.goBack()
    await page.goBack()
    expect(page.url()).toBe(urlOf('lin'))
    await inState(page, 'bound')
  })

  test('binds nobody if the user reloads the page before the answer, and binds after the next tap', async () => {
    await context.route('**/widget/oauth/confirm', () => {})
    const page = await open()
    await tap(page)
    await card(page).getByText('Binding…').waitFor()
    await page.reload()
    await inState(page, 'ready')
    expect(await isBound('lin')).toBe(false)
    await context.unroute('**/widget/oauth/confirm')
    await tap(page)
    await inState(page, 'bound')
  })

  test('a tap in one tab also displays the binding in another tab', async () => {
    const one = await open()
    const other = await open()
    await inState(other, 'ready')
    await one.bringToFront()
    await tap(one)
    await Promise.all([inState(one, 'bound'), inState(other, 'bound')])
    expect(await eventsOf(other)).toEqual([['bound', false]])
  })
})
