/**
 * Makes a page with screenshots of every page of the console: run `npm run build`, then
 * `node test/support/console-sheet.ts [folder] [page …]`, and open index.html.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { startListening, stopListening } from '../../server/http/listen.ts'
import { NOW } from '../console/support/console-data.ts'
import { createFakeConsole, type Scene } from '../console/support/fake-console.ts'
import { launchOptions } from './chromium.ts'
import { consoleSite } from './console-site.ts'

const themes = ['light', 'dark'] as const
const langs = ['zh-CN', 'en'] as const
const widths = [360, 768, 1280]
const sceneNames: Scene[] = ['full', 'empty', 'loading', 'failing']

type Shot = { name: string; hash: string; scenes?: Scene[]; reach?: (page: Page) => Promise<void> }

const user = '#/users/shop/acme/u-1042'

const shots: Shot[] = [
  { name: 'overview', hash: '#/overview?range=24h' },
  { name: 'overview-30d', hash: '#/overview?range=30d', scenes: ['full'] },
  { name: 'users', hash: '#/users' },
  { name: 'user', hash: user, scenes: ['full', 'loading', 'failing'] },
  {
    name: 'question',
    hash: user,
    scenes: ['full'],
    reach: (page) => page.getByRole('button', { name: /^(Erase|抹除)$/ }).click(),
  },
  { name: 'webhooks', hash: '#/webhooks' },
  { name: 'doctor', hash: '#/doctor' },
  { name: 'live', hash: '#/live' },
  { name: 'menu', hash: '#/users', scenes: ['empty'], reach: (page) => page.locator('.menu summary').click() },
  { name: 'sign-in', hash: '', scenes: ['full'] },
]

const [folder = 'contact-sheet/console', ...only] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const chosen = shots.filter(({ name }) => only.length === 0 || only.includes(name))

const site = new Hono()
for (const scene of sceneNames) site.route('/', consoleSite(`/${scene}`, createFakeConsole({ scene })))
site.route('/', consoleSite('/signed-out', createFakeConsole({ isSignedIn: false, offers: true })))

const { server, url } = await startListening({ fetch: site.fetch }, '127.0.0.1', 0)
const browser = await chromium.launch(await launchOptions())

const fileOf = (...names: (string | number)[]) => `${names.join('-')}.png`

async function openContext(browser: Browser, theme: string, lang: string): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: lang, timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  await context.addInitScript(
    (preferences) => localStorage.setItem('wechat-bind-console', preferences),
    JSON.stringify({ theme, lang }),
  )
  return context
}

/** Whether the page has rendered its content, with a canvas in each chart. This function runs in the page. */
const isDrawn = () =>
  !document.querySelector('.bone') &&
  [...document.querySelectorAll('console-chart')].every((chart) => chart.querySelector('canvas'))

async function takePictures(context: BrowserContext, shot: Shot, scene: Scene, label: string): Promise<string[]> {
  const page = await context.newPage()
  const problems: string[] = []
  page.on('console', (message) => {
    // Console errors of refused requests are expected in the scene with a failing server.
    if (message.type() === 'error' && scene !== 'failing') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  await page.clock.setFixedTime(NOW)
  await page.goto(`${url}/${shot.name === 'sign-in' ? 'signed-out' : scene}/${shot.hash}`)
  await page
    .locator(scene === 'loading' ? '[aria-busy=true], .feed' : 'h1')
    .first()
    .waitFor()
  if (scene !== 'loading') await page.waitForFunction(isDrawn)
  await shot.reach?.(page)
  for (const width of widths) {
    await page.setViewportSize({ width, height: width === 360 ? 640 : 800 })
    // The charts change to the new size in the next frame.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (overflow > 0) problems.push(`the page is ${overflow} px too wide at a width of ${width} px`)
    const path = join(folder, fileOf(shot.name, scene, label, width))
    await page.screenshot({ path, fullPage: true, animations: 'disabled' })
  }
  await page.close()
  return problems.map((problem) => `${shot.name}, ${scene}, ${label}: ${problem}`)
}

function sheet(): string {
  const labels = langs.flatMap((lang) => themes.map((theme) => `${theme}-${lang}`))
  const heads = widths.flatMap((width) => labels.map((label) => `<th>${width}<br>${label}</th>`)).join('')
  const rows = chosen.flatMap(({ name, scenes = sceneNames }) =>
    scenes.map((scene) => {
      const cells = widths.flatMap((width) =>
        labels.map((label) => `<td><img loading="lazy" src="${fileOf(name, scene, label, width)}" alt=""></td>`),
      )
      return `<tr><th>${name}<br>${scene}</th>${cells.join('')}</tr>`
    }),
  )
  return `<!doctype html><meta charset="utf-8"><title>The console: every page</title>
<style>
  body { margin: 16px; font: 12px/1.4 system-ui, sans-serif }
  th { padding: 4px 8px; text-align: left; vertical-align: top }
  td { vertical-align: top }
  img { display: block; width: 320px }
</style>
<table><thead><tr><th></th>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`
}

const problems: string[] = []
for (const lang of langs) {
  for (const theme of themes) {
    const context = await openContext(browser, theme, lang)
    for (const shot of chosen) {
      for (const scene of shot.scenes ?? sceneNames) {
        problems.push(...(await takePictures(context, shot, scene, `${theme}-${lang}`)))
      }
    }
    await context.close()
  }
}
writeFileSync(join(folder, 'index.html'), sheet())
await browser.close()
server.closeAllConnections()
await stopListening(server)
for (const problem of problems) console.error(problem)
console.log(`${chosen.length} pages: ${join(folder, 'index.html')}`)
if (problems.length > 0) process.exitCode = 1
