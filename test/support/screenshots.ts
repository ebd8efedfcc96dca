/** The pictures in the READMEs, made by the demo: `node test/support/screenshots.ts` after `npm run build`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { startDemo } from '../../demo/demo.ts'
import { launchOptions } from './chromium.ts'

const pictures = [
  { lang: 'en', file: 'demo/screenshot.png' },
  { lang: 'zh-CN', file: 'demo/screenshot.zh-CN.png' },
]

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-'))
const demo = await startDemo({ env: { PORT: '0' }, dataDir: folder })
const browser = await chromium.launch(await launchOptions())

for (const { lang, file } of pictures) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 }, deviceScaleFactor: 1.5 })
  await page.goto(`${demo.url}/?lang=${lang}`)
  await page.waitForFunction(
    () => (document.querySelector('wechat-bind') as { state?: string } | null)?.state === 'ready',
  )
  await page.getByTestId('scan-button').click()
  await page.getByTestId('follow-button').waitFor()
  await page.screenshot({ path: file })
  await page.close()
}

await browser.close()
await demo.close()
rmSync(folder, { recursive: true })
