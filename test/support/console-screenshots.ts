/** Makes the screenshots of the console for the documents: run `npm run build`, then `node test/support/console-screenshots.ts`. */
import { chromium } from 'playwright'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { NOW } from '../console/support/console-data.ts'
import { createFakeConsole } from '../console/support/fake-console.ts'
import { launchOptions } from './chromium.ts'
import { consoleSite } from './console-site.ts'

const pictures = [
  { name: 'overview', hash: '#/overview?range=7d', height: 1000 },
  { name: 'user', hash: '#/users/shop/acme/u-1042', height: 800 },
  { name: 'webhooks', hash: '#/webhooks', height: 800 },
]

const languages = [
  { lang: 'en', end: '.png' },
  { lang: 'zh-CN', end: '.zh-CN.png' },
]

const { server, url } = await startListening(
  { fetch: consoleSite('/console', createFakeConsole()).fetch },
  '127.0.0.1',
  0,
)
const browser = await chromium.launch(await launchOptions())

for (const { lang, end } of languages) {
  const context = await browser.newContext({ locale: lang, timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  await context.addInitScript(
    (preferences) => localStorage.setItem('wechat-bind-console', preferences),
    JSON.stringify({ lang, theme: 'light' }),
  )
  for (const { name, hash, height } of pictures) {
    const page = await context.newPage()
    await page.setViewportSize({ width: 1120, height })
    await page.clock.setFixedTime(NOW)
    await page.goto(`${url}/console/${hash}`)
    await page.locator('.panel h2').first().waitFor()
    await page.waitForFunction(() =>
      [...document.querySelectorAll('console-chart')].every((chart) => chart.querySelector('canvas')),
    )
    await page.screenshot({ path: `docs/images/console-${name}${end}`, animations: 'disabled' })
    await page.close()
  }
  await context.close()
}

await browser.close()
server.closeAllConnections()
await stopListening(server)
