/** The browsers of `npm run test:engines`: how each is found on the machine, and what is missing if it is not. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, existsSync, globSync, renameSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress } from 'node:zlib'
import { chromium, firefox, webkit } from 'playwright'
import { sharedBrowser } from '../support/browser.ts'
import { installed, launchOptions } from '../support/chromium.ts'
import type { Ability, Driver } from '../support/driver.ts'
import { createPlaywrightDriver } from '../support/playwright-driver.ts'

export type EngineName = 'chromium' | 'chromium-116' | 'firefox' | 'webkit'

/** `lacks`: the tests that need it are skipped in this engine. `missing`: what to install. */
type Engine = { lacks: readonly Ability[]; open: () => Promise<Driver> } | { missing: string }

/** Playwright tells every page that it is visible. */
const PLAYWRIGHT = ['hiddenTabs'] as const

/** The Chromium of an npm package is a `headless_shell`, which has no back/forward cache. */
const HEADLESS_SHELL = [...PLAYWRIGHT, 'bfcache'] as const

const onPath = (...names: string[]): string | undefined =>
  names
    .flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))
    .find((path) => existsSync(path))

const MODULES = join(import.meta.dirname, 'node_modules')

/** Whether `npm ci` has run in this folder. */
export const hasLibraries = () => existsSync(join(MODULES, '.package-lock.json'))

const LIBRARIES = { missing: 'the packages of test/engines: run `npm ci` there' }

/** Finds each engine without starting it. */
export const engines: Record<EngineName, () => Engine> = {
  chromium: () => ({
    lacks: installed() ? PLAYWRIGHT : HEADLESS_SHELL,
    open: async () => createPlaywrightDriver(await sharedBrowser(), async () => {}),
  }),

  'chromium-116'() {
    if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: 'a Linux with an x64 processor' }
    if (!hasLibraries()) return LIBRARIES
    return { lacks: HEADLESS_SHELL, open: openOldChromium }
  },

  firefox() {
    if (existsSync(firefox.executablePath()))
      return { lacks: [...PLAYWRIGHT, 'bfcache'], open: async () => createPlaywrightDriver(await firefox.launch()) }
    const path = process.env.FIREFOX_PATH ?? onPath('firefox-esr', 'firefox')
    if (!path) return { missing: 'Firefox: `npx playwright install firefox`, or Debian’s package firefox-esr' }
    if (!hasLibraries()) return LIBRARIES
    // Firefox 153 keeps no page with an open request, and the element leaves its poll open until the page is hidden.
    return { lacks: ['bfcache'], open: async () => (await import('./puppeteer-driver.ts')).openFirefox(path) }
  },

  webkit() {
    if (existsSync(webkit.executablePath())) {
      return {
        lacks: [...PLAYWRIGHT, 'bfcache', 'forcedColors'],
        open: async () => createPlaywrightDriver(await webkit.launch()),
      }
    }
    const driver = onPath('WebKitWebDriver')
    const [browser] = globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser')
    const xvfb = onPath('Xvfb')
    const display = process.env.DISPLAY
    if (!driver || !browser || !(display || xvfb)) {
      return { missing: 'WebKit: `npx playwright install webkit`, or Debian’s packages webkit2gtk-driver and xvfb' }
    }
    if (!hasLibraries()) return LIBRARIES
    return {
      lacks: ['forcedColors', 'hiddenTabs', 'narrow'],
      async open() {
        const { openWebkit } = await import('./selenium-driver.ts')
        if (display) return openWebkit(driver, browser, display)
        const screen = await startScreen(xvfb!)
        const opened = await openWebkit(driver, browser, screen.display)
        return { ...opened, close: screen.close }
      },
    }
  },
}

export async function openEngine(name: EngineName): Promise<Driver> {
  const engine = engines[name]()
  if ('missing' in engine) throw new Error(`${name} needs ${engine.missing}`)
  return engine.open()
}

/** The Chromium of August 2023, as in the WeChat of many Android phones. */
async function openOldChromium(): Promise<Driver> {
  // Also makes the libraries of the newer package available, on a machine that has none.
  const options = await launchOptions()
  const executablePath = join(MODULES, 'chromium-116/chromium')
  if (!existsSync(executablePath)) {
    const packed = createReadStream(join(MODULES, 'chromium-116/bin/chromium.br'))
    const unpacked = `${executablePath}.${process.pid}`
    await pipeline(packed, createBrotliDecompress(), createWriteStream(unpacked, { mode: 0o755 }))
    renameSync(unpacked, executablePath)
  }
  return createPlaywrightDriver(await chromium.launch({ ...options, executablePath }))
}

/** A screen in memory, for a browser that has no headless mode. */
async function startScreen(xvfb: string): Promise<{ display: string; close: () => Promise<void> }> {
  const args = ['-displayfd', '3', '-screen', '0', '3000x2000x24', '-nolisten', 'tcp']
  const server = spawn(xvfb, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const stop = () => void server.kill()
  // A run that is aborted closes nothing.
  process.on('exit', stop)
  const [number] = await once(server.stdio[3]!, 'data')
  return {
    display: `:${String(number).trim()}`,
    async close() {
      process.off('exit', stop)
      stop()
      await once(server, 'exit')
    },
  }
}
