/** Restarts the demo while its page stays open, as during development. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { sharedBrowser } from '../support/browser.ts'
import { follow, inState, scan } from './demo-fixture.ts'

const browser = await sharedBrowser()
let folder: string
let demo: Demo

const start = (port: string) => startDemo({ env: { PORT: port, LOG_LEVEL: 'silent' }, dataDir: folder })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
})
afterAll(async () => {
  await demo.close()
  rmSync(folder, { recursive: true })
})

describe('a restart of the demo while a page is open', () => {
  test('does not require a reload: the phone binds, and the traffic log keeps the earlier entries', async () => {
    demo = await start('0')
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    await page.goto(`${demo.url}/?lang=en`)
    await inState(page, 'ready')
    const entries = page.getByTestId('wire-entry')
    const newCode = entries.filter({ hasText: '/cgi-bin/qrcode/create' })
    await newCode.waitFor()
    await entries.filter({ hasText: 'pending' }).waitFor()

    await demo.close()
    await expect.poll(() => entries.filter({ hasText: 'pending' }).count()).toBe(0)
    demo = await start(new URL(demo.url).port)
    await entries.filter({ hasText: 'pending' }).waitFor()
    await scan(page)
    await follow(page)
    await inState(page, 'bound')
    await entries.filter({ hasText: 'binding.bound' }).waitFor()
    expect(await newCode.count()).toBe(1)
  })
})
