/**
 * Tests the access to the demo in a real browser: the secret path of a demo with a real account, and attacks by a page
 * of another site.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import type { Page } from 'playwright'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { createSimulator } from '../../demo/simulator/simulator.ts'
import { type Listening, startListening, stopListening } from '../../server/http/listen.ts'
import { OTHER_SITE, sharedBrowser } from '../support/browser.ts'
import { backEndReports, inState } from './demo-fixture.ts'

const browser = await sharedBrowser()
let page: Page
let folder: string
let demo: Demo
/** Another server, which acts as WeChat or as the attacking site. */
let other: Listening

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
})
afterEach(async () => {
  await page.close()
  await demo.close()
  await stopListening(other.server)
  rmSync(folder, { recursive: true })
})

const start = (env: Record<string, string> = {}) =>
  startDemo({ env: { PORT: '0', LOG_LEVEL: 'silent', ...env }, dataDir: folder })

describe('the demo with a real account', () => {
  test('works below its secret path: the page binds and displays the traffic', async () => {
    const tencent = createSimulator({ account: { mode: 'plain' } })
    other = await startListening(tencent.app, '127.0.0.1', 0)
    const { appId, appSecret, token } = tencent.account
    const account = { WECHAT_APP_ID: appId, WECHAT_APP_SECRET: appSecret, WECHAT_TOKEN: token, WECHAT_MODE: 'plain' }
    demo = await start({ ...account, WECHAT_API_BASE: other.url })
    tencent.setCallbackUrl(`${new URL(demo.url).origin}/wechat/callback`)

    await page.goto(`${demo.url}?lang=en`)
    await inState(page, 'ready')
    expect(page.url()).toContain(`${demo.url}/?lang=en`)
    await tencent.phone('amy').scan(undefined, { follow: true })
    await inState(page, 'bound')
    await backEndReports(page, true)
    await page.getByTestId('wire-entry').filter({ hasText: 'binding.bound' }).waitFor()

    await page.goto(`${demo.url}/playground?lang=en`)
    await inState(page, 'bound')
    await page.goto(`${demo.url}/api.html?lang=en`)
    await page.getByText('/api/WeChat/GetQrCode').first().waitFor()
    tencent.close()
  })
})

describe('a page of another site', () => {
  beforeEach(async () => {
    demo = await start()
    other = await startListening(
      new Hono().get('/', (c) => c.html('<!doctype html><title>evil</title>')),
      '127.0.0.1',
      0,
    )
    await demo.simulator.phone('amy').follow()
  })

  test('cannot operate a phone', async () => {
    await page.goto(`http://${OTHER_SITE}:${new URL(other.url).port}/`)
    const sent = await page.evaluate(async (url) => {
      await fetch(`${url}/simulator/control/phones/amy/unfollow`, { method: 'POST', mode: 'no-cors' })
      return 'sent'
    }, demo.url)
    expect(sent).toBe('sent')
    expect(demo.simulator.phone('amy').following).not.toBeNull()
  })

  test('cannot read the traffic when its host name resolves to this machine', async () => {
    const rebound = `http://${OTHER_SITE}:${new URL(demo.url).port}`
    const statuses: (number | undefined)[] = []
    for (const path of ['/demo/wire', '/host/token?user=lin', '/']) {
      statuses.push((await page.goto(rebound + path))?.status())
    }
    expect(statuses).toEqual([403, 403, 403])
  })
})
