import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type LaunchOptions } from 'playwright'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** An installed browser: $CHROME_PATH, one on the PATH, Playwright's own, or Google Chrome on macOS. */
function installed(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((dir) => names.map((name) => join(dir, name)))
  const others = [chromium.executablePath(), '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
  return [process.env.CHROME_PATH ?? '', ...onPath, ...others].find(existsSync)
}

/** Chromium from npm, with the libraries and the font that a minimal Linux lacks (x64 only). */
async function bundled(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chromium found: install Chromium or Google Chrome, or set CHROME_PATH.')
  }
  const { default: archive, inflate, setupLambdaEnvironment } = await import('@sparticuz/chromium')
  const path = await archive.executablePath()
  const libraries = await inflate(join(import.meta.dirname, '../../node_modules/@sparticuz/chromium/bin/al2023.tar.br'))
  // Its own font has no Chinese characters, so the machine's fonts are used when there are any.
  if (existsSync('/etc/fonts/fonts.conf') && existsSync('/usr/share/fonts'))
    process.env.FONTCONFIG_PATH ??= '/etc/fonts'
  setupLambdaEnvironment(join(libraries, 'lib'))
  return path
}

export async function launchOptions(): Promise<LaunchOptions> {
  return { executablePath: installed() ?? (await bundled()), args: ['--no-sandbox', '--disable-quic'] }
}
