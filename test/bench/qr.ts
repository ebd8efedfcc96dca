/**
 * Measures the time until a user sees a QR code, with and without QR codes that the server requests in advance. WeChat
 * answers after 150 ms. Also counts the requests that the browser sends for a QR code. `npm run bench qr`.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { chromium, type Page } from 'playwright'
import { createAccount } from '../../demo/simulator/account.ts'
import { type BindClient, createBindClient } from '../../server/client.ts'
import { launchOptions } from '../support/chromium.ts'
import { type Line, report } from './support/report.ts'
import { newSqliteEnv, SECRET_OF_BENCH, type Served, serveOurs } from './support/served.ts'
import { quantile } from './support/statistics.ts'
import { startWechatApi } from './support/wechat-api.ts'

const READY = 4
const REQUESTS = 300
const ELEMENTS = 60
const WARM_UPS = 10
// The pause between two users. Ten users a second stay below the tenant's limit of 1,000 a minute. With a shorter
// pause, the bench would measure an empty pool.
const EVERY_MS = 100

const PAGE = '<!doctype html><body>'

type Setting = { server: Served; client: BindClient; end(): Promise<void> }

const wechat = await startWechatApi({ answersAfterMs: 150 })
/** A site of another origin than the bind server. */
const site = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(PAGE))
await once(site.listen(0, '127.0.0.1'), 'listening')
const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
const browser = await chromium.launch(await launchOptions())

let users = 0

const lines: Line[] = []
for (const ready of [READY, 0]) {
  const setting = await open(ready)
  const isGoal = ready > 0
  const inRequest = await paced(isGoal ? REQUESTS : REQUESTS / 3, () => requestQrcode(setting))
  const inPage = await pageTimes(setting, isGoal ? ELEMENTS : ELEMENTS / 3)
  lines.push(
    toLine(`QR_READY=${ready}: POST /widget/qrcode`, inRequest, isGoal ? { p50: 10, p99: 30 } : undefined),
    toLine(`QR_READY=${ready}: element in the page to \`ready\``, inPage, isGoal ? { p50: 80 } : undefined),
  )
  if (isGoal) {
    lines.push(await whileDown(setting))
    lines.push(...(await countRequests(setting)))
  }
  await setting.end()
}
report('qr', lines)
await browser.close()
wechat.end()
process.exit()

async function open(ready: number): Promise<Setting> {
  const { env, remove } = newSqliteEnv(createAccount({}, randomBytes))
  const server = await serveOurs({
    ...env,
    WECHAT_API_BASE: wechat.url,
    QR_READY: String(ready),
    QR_PER_MINUTE_TENANT: '100000',
    ALLOWED_ORIGINS: origin,
  })
  return {
    server,
    client: createBindClient({ server: server.url, keyId: 'k1', key: SECRET_OF_BENCH }),
    async end() {
      await server.end()
      remove()
    },
  }
}

/** Returns the token of a new user. */
function mintToken({ client }: Setting): Promise<string> {
  return client.mintToken({ account: 'acme', userId: `u${users++}` })
}

/** Runs `once` for one user after the other. The first rounds only warm up the server. */
async function paced(count: number, once: () => Promise<number>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count + WARM_UPS; i++) {
    // This pause sets the pace of the load. It does not wait for the server.
    const pause = delay(EVERY_MS)
    const took = await once()
    if (i >= WARM_UPS) times.push(took)
    await pause
  }
  return times
}

async function requestQrcode(setting: Setting): Promise<number> {
  const token = await mintToken(setting)
  const startedAt = performance.now()
  const response = await fetch(`${setting.server.url}/widget/qrcode`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
  })
  const { qr } = (await response.json()) as { qr?: object }
  if (!qr) throw new Error(`POST /widget/qrcode answered ${response.status}`)
  return performance.now() - startedAt
}

async function pageTimes(setting: Setting, count: number): Promise<number[]> {
  const page = await openPage(setting.server.url)
  await page.addScriptTag({ url: '/wechat-bind.js', type: 'module' })
  const times = await paced(count, async () => show(page, '', await mintToken(setting)))
  await page.close()
  return times
}

/** Counts the users who get a QR code while WeChat is down. */
async function whileDown(setting: Setting): Promise<Line> {
  const isFull = new RegExp(`^wechat_bind_qrcodes_ready ${READY}$`, 'm')
  while (!isFull.test(await (await fetch(`${setting.server.url}/metrics`)).text())) await new Promise(setImmediate)
  wechat.setDown(true)
  let shown = 0
  while (await requestQrcode(setting).then(Number.isFinite, () => false)) shown++
  wechat.setDown(false)
  return {
    what: 'WeChat down: users who still get a QR code',
    value: String(shown),
    number: shown,
    goal: { text: String(READY), atLeast: READY },
  }
}

/**
 * Counts the requests from the start of the element to its QR code, for a page of another origin and for a page of the
 * server's own origin.
 */
async function countRequests(setting: Setting): Promise<Line[]> {
  const { url } = setting.server
  const counts: Line[] = []
  for (const [where, from, server] of [
    ['another origin', origin, url],
    ["the server's origin", url, ''],
  ] as const) {
    const page = await openPage(from)
    const session = await page.context().newCDPSession(page)
    let sent: string[] = []
    await session.send('Network.enable')
    session.on('Network.requestWillBeSent', ({ request }) => {
      const { pathname } = new URL(request.url)
      // The polls of the element are not counted, because they come after the QR code.
      if (pathname !== '/widget/binding') sent.push(`${request.method} ${pathname}`)
    })
    await page.addScriptTag({ url: `${url}/wechat-bind.js`, type: 'module' })
    for (const visit of ['first', 'next']) {
      await show(page, server, await mintToken(setting))
      counts.push({ what: `requests to the QR code, ${where}, ${visit} visit`, value: sent.join(', ') })
      sent = []
    }
    await page.close()
  }
  return counts
}

async function openPage(from: string): Promise<Page> {
  const page = await browser.newPage()
  if (from !== origin) await page.route('**/bench', (route) => route.fulfill({ contentType: 'text/html', body: PAGE }))
  await page.goto(`${from}/bench`)
  return page
}

/** Adds a new element to the page. Returns the time in ms until its QR code is visible. */
function show(page: Page, server: string, token: string): Promise<number> {
  return page.evaluate(
    async ([withServer, withToken]) => {
      document.querySelector('wechat-bind')?.remove()
      const card = document.createElement('wechat-bind')
      card.setAttribute('server', withServer)
      card.setAttribute('token', withToken)
      const startedAt = performance.now()
      await new Promise<void>((resolve) => {
        card.addEventListener('statechange', (event) => (event as CustomEvent).detail.state === 'ready' && resolve())
        document.body.append(card)
      })
      return performance.now() - startedAt
    },
    [server, token] as const,
  )
}

/** Reports the median and the p99. The goals are in ms, and the goal of the p99 is optional. */
function toLine(what: string, times: number[], goal?: { p50: number; p99?: number }): Line {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
  const line = { what: `${what}, p50 / p99`, value: `${p50.toFixed(1)} / ${p99.toFixed(1)} ms` }
  if (!goal) return line
  const text = goal.p99 === undefined ? `p50 ${goal.p50} ms` : `${goal.p50} / ${goal.p99} ms`
  // The report compares the value that is furthest above its goal.
  const number = Math.max(p50 / goal.p50, goal.p99 === undefined ? 0 : p99 / goal.p99)
  return { ...line, number, goal: { text, atMost: 1 } }
}
