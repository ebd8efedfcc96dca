/**
 * Measures the time from the moment when a callback is sent to the event `bound` in the page, in Chromium:
 * `npm run bench page-latency`.
 */
import { randomBytes } from 'node:crypto'
import { chromium, type Page } from 'playwright'
import { createAccount } from '../../demo/simulator/account.ts'
import { createBindClient } from '../../server/client.ts'
import { launchOptions } from '../support/chromium.ts'
import { deliverScan } from '../support/instance.ts'
import { report } from './support/report.ts'
import { newSqliteEnv, SECRET_OF_BENCH, serveOurs } from './support/served.ts'
import { quantile } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const ROUNDS = 120

let onNextScene = (_scene: string) => {}
const wechat = await startWechatApi({ onScene: (scene) => onNextScene(scene) })
const account = createAccount({}, randomBytes)
const { env, remove } = newSqliteEnv(account)
const server = await serveOurs({ ...env, WECHAT_API_BASE: wechat.url })
const client = createBindClient({ server: server.url, keyId: 'k1', key: SECRET_OF_BENCH })
const browser = await chromium.launch(await launchOptions())
const page = await browser.newPage()
// The page has the origin of the bind server, so that the browser sends no preflight requests.
await page.route('**/bench', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><body>' }))
await page.goto(`${server.url}/bench`)
await page.addScriptTag({ url: '/wechat-bind.js', type: 'module' })

const times: number[] = []
for (let i = 0; i < ROUNDS + 10; i++) {
  const scene = new Promise<string>((resolve) => {
    onNextScene = resolve
  })
  await show(page, await client.mintToken({ account: 'acme', userId: `u${i}` }))
  const sentAt = performance.timeOrigin + performance.now()
  await deliverScan(account, server, { openid: `oPage${i}`, scene: await scene })
  const took = (await boundAt(page)) - sentAt
  // The first rounds only warm up the browser and the server.
  if (i >= 10) times.push(took)
}

const at = (part: number) => quantile(times, part).toFixed(1)
report('page-latency', [
  {
    what: 'callback sent to `bound` in the page, p50 / p99',
    value: `${at(0.5)} / ${at(0.99)} ms`,
    number: quantile(times, 0.99),
    goal: { text: '15 / 50 ms', atMost: 50 },
  },
])
await browser.close()
await server.end()
wechat.end()
remove()
process.exit()

/** Displays a new element. Resolves when its QR code is visible and its poll waits. */
async function show(on: Page, token: string): Promise<void> {
  await on.evaluate(async (withToken) => {
    document.querySelector('wechat-bind')?.remove()
    const card = document.createElement('wechat-bind')
    card.setAttribute('token', withToken)
    const bound = new Promise((resolve) => {
      card.addEventListener('bound', () => resolve(performance.timeOrigin + performance.now()))
    })
    Object.assign(globalThis, { bound })
    const ready = new Promise<void>((resolve) => {
      card.addEventListener('statechange', (event) => (event as CustomEvent).detail.state === 'ready' && resolve())
    })
    document.body.append(card)
    await ready
  }, token)
  while (!/^wechat_bind_waiters 1$/m.test(await (await fetch(`${server.url}/metrics`)).text()))
    await new Promise(setImmediate)
}

function boundAt(on: Page): Promise<number> {
  return on.evaluate(() => (globalThis as unknown as { bound: Promise<number> }).bound)
}
