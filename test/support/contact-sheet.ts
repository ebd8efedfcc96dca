/**
 * Makes a page with screenshots of every state: run `npm run build`, then `node test/support/contact-sheet.ts [folder]`, and open
 * index.html.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright'
import { launchOptions } from './chromium.ts'
import { openScene, type Scene, scenes } from './scenes.ts'

type Column = { theme: 'light' | 'dark'; lang: string; forced?: boolean; dir?: 'rtl'; still?: boolean }
type Device = { name: string; userAgent?: string; viewport: { width: number; height: number }; columns: Column[] }

const both: Column[] = ['zh-CN', 'en'].flatMap((lang) => [
  { theme: 'light', lang },
  { theme: 'dark', lang },
])

const android = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile'

const devices: Device[] = [
  {
    name: 'desktop',
    viewport: { width: 420, height: 620 },
    columns: [
      ...both,
      { theme: 'light', lang: 'zh-TW' },
      { theme: 'dark', lang: 'en', forced: true },
      { theme: 'light', lang: 'en', forced: true },
      { theme: 'light', lang: 'en', dir: 'rtl' },
      { theme: 'light', lang: 'zh-CN', still: true },
    ],
  },
  { name: 'phone', userAgent: android, viewport: { width: 320, height: 640 }, columns: both },
  {
    name: 'WeChat',
    userAgent: `${android} MicroMessenger/8.0.49`,
    viewport: { width: 360, height: 640 },
    columns: [{ theme: 'light', lang: 'zh-CN' }],
  },
]

const folder = process.argv[2] ?? 'contact-sheet'
mkdirSync(folder, { recursive: true })

const labelOf = ({ theme, lang, forced, dir, still }: Column) =>
  [theme, lang, forced && 'forced colours', dir, still && 'reduced motion'].filter(Boolean).join(', ')

const fileOf = (...names: string[]) => `${names.join('-').replace(/[^\w]+/g, '-')}.png`

/** Takes the screenshots of one page. Changes its theme, its language and its other settings before each screenshot. */
async function takePictures(page: Page, scene: Scene, device: Device): Promise<void> {
  for (const column of device.columns) {
    const { theme, lang, forced, dir = 'ltr', still } = column
    await page.emulateMedia({
      colorScheme: theme,
      forcedColors: forced ? 'active' : 'none',
      reducedMotion: still ? 'reduce' : 'no-preference',
    })
    await page.evaluate(([lang = '', dir = '']) => Object.assign(document.documentElement, { lang, dir }), [lang, dir])
    // Animations are set to their last frame, so that each run takes the same screenshot.
    const path = join(folder, fileOf(scene.name, device.name, labelOf(column)))
    await page.screenshot({ path, animations: 'disabled' })
  }
}

async function play(browser: Browser, scene: Scene, device: Device): Promise<void> {
  const { name: _, columns: __, userAgent, viewport } = device
  const fixture = await openScene(scene)
  const touch = device.name !== 'desktop'
  const context = await browser.newContext({
    timezoneId: 'Asia/Shanghai',
    userAgent: scene.userAgent ?? userAgent,
    viewport,
    deviceScaleFactor: 2,
    hasTouch: touch,
    isMobile: touch,
  })
  const page = await context.newPage()
  await page.route('**/page.css', (route) => route.fulfill({ contentType: 'text/css', body: PAGE_CSS }))
  await page.goto(fixture.url)
  await scene.reach(page, fixture)
  await takePictures(page, scene, device)
  await context.close()
  await fixture.close()
}

const PAGE_CSS = `
  :root { color-scheme: light dark }
  body { margin: 0; background: light-dark(#f4f5f6, #0d0e0f) }
  main { box-sizing: border-box; display: grid; place-items: start center; padding: 16px; min-height: 460px }
`

function sheet(): string {
  const heads = devices.flatMap(({ name, columns }) =>
    columns.map((column) => `<th>${name}<br>${labelOf(column)}</th>`),
  )
  const rows = scenes.map((scene) => {
    const cells = devices.flatMap(({ name, columns }) =>
      columns.map(
        (column) => `<td><img loading="lazy" src="${fileOf(scene.name, name, labelOf(column))}" alt=""></td>`,
      ),
    )
    return `<tr><th>${scene.name}</th>${cells.join('')}</tr>`
  })
  return `<!doctype html><meta charset="utf-8"><title>wechat-bind: every state</title>
<style>
  body { margin: 16px; font: 12px/1.4 system-ui, sans-serif }
  th { position: sticky; background: #fff; padding: 4px 8px; text-align: left }
  thead th { top: 0; z-index: 1 }
  tbody th { left: 0 }
  img { display: block; width: 260px }
</style>
<table><thead><tr><th></th>${heads.join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`
}

/**
 * Returns whether a font has Chinese characters. Compares the picture of a Chinese character with the picture of a
 * character that no font has.
 */
const hasChinese = (page: Page) =>
  page.evaluate(() => {
    const [chinese, unknown] = ['绑', '\u{10ffff}'].map((text) => {
      const canvas = document.createElement('canvas')
      canvas.getContext('2d')?.fillText(text, 0, 20)
      return canvas.toDataURL()
    })
    return chinese !== unknown
  })

const browser = await chromium.launch(await launchOptions())
const blank = await browser.newPage()
if (!(await hasChinese(blank))) {
  throw new Error('This machine has no Chinese font, so half of the sheet would be blank: install fonts-noto-cjk.')
}
await blank.close()
for (const scene of scenes) {
  await Promise.all(devices.map((device) => play(browser, scene, device)))
  console.log(scene.name)
}
writeFileSync(join(folder, 'index.html'), sheet())
const page = await browser.newPage({ viewport: { width: 4000, height: 1000 } })
await page.goto(pathToFileURL(join(folder, 'index.html')).href)
await page.evaluate(() => {
  for (const image of document.images) image.loading = 'eager'
})
await page.waitForFunction(() => [...document.images].every(({ complete }) => complete))
await page.screenshot({ path: join(folder, 'sheet.png'), fullPage: true })
await browser.close()
console.log(`${scenes.length} states: ${join(folder, 'index.html')}`)
