/** Makes the screenshots of the demo for the documents: run `npm run build`, then `node test/support/screenshots.ts`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright'
import { startDemo } from '../../demo/demo.ts'
import { launchOptions } from './chromium.ts'

const pictures = [
  { lang: 'en', file: 'docs/images/demo.png' },
  { lang: 'zh-CN', file: 'docs/images/demo.zh-CN.png' },
]

const inState = (page: Page, state: string) =>
  page.waitForFunction(
    (name) => (document.querySelector('wechat-bind') as { state?: string } | null)?.state === name,
    state,
  )

/**
 * Brings the demo into the state of the screenshot: a QR code on the page, the follow page on the phone, and one entry
 * of each kind in the traffic log.
 */
async function setScene(page: Page): Promise<void> {
  await inState(page, 'ready')
  await page.getByTestId('scan-button').click()
  await page.getByTestId('follow-button').click()
  await inState(page, 'bound')
  await page.getByTestId('wire-entry').filter({ hasText: 'binding.bound' }).waitFor()
  await page.getByTestId('disconnect-button').click()
  await inState(page, 'ready')
  await page.getByTestId('person-bo').click()
  await page.getByTestId('scan-button').click()
  await page.getByTestId('follow-button').waitFor()
}

const browser = await chromium.launch(await launchOptions())

for (const { lang, file } of pictures) {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
  const demo = await startDemo({ env: { PORT: '0' }, dataDir: folder })
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, deviceScaleFactor: 1.5 })
  await page.goto(`${demo.url}/?lang=${lang}`)
  await setScene(page)
  await page.screenshot({ path: file })
  await page.close()
  await demo.close()
  rmSync(folder, { recursive: true })
}

await browser.close()
