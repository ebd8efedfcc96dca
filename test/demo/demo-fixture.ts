/** Starts a demo on a free port. Has functions for actions that many tests of the demo need. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { createBindClient } from '../../server/client.ts'

const KEY = 'demo-key-of-32-bytes-in-base64url-000000000'.slice(0, 43)
const stopped = new WeakSet<Demo>()

/** Creates a folder with placeholder pages, so that the tests need no build. The folder is removed after the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-demo-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['page/assets', 'cdn']) mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(folder, 'page/assets/page-1a2b.js'), 'export {}')
  writeFileSync(join(folder, 'cdn/wechat-bind.js'), 'export {}')
  return folder
}

/**
 * Starts a demo on a free port and stops it after the test. `folder` contains the pages and the saved state of the
 * demo.
 */
export async function start(folder = makeFolder(), env: Record<string, string> = {}): Promise<Demo> {
  const settings = { PORT: '0', BIND_KEYS: `k1:${KEY}`, LOG_LEVEL: 'silent', ...env }
  const demo = await startDemo({ env: settings, dataDir: folder, dist: folder })
  onTestFinished(() => stop(demo))
  return demo
}

export async function stop(demo: Demo): Promise<void> {
  if (stopped.has(demo)) return
  stopped.add(demo)
  await demo.close()
}

export const clientOf = ({ url }: Demo) => createBindClient({ server: url, keyId: 'k1', key: KEY })
export const lin = { account: 'acme', userId: 'lin' }

/** Lets Amy scan the QR code of the user lin and follow the account. Amy's WeChat is then bound to lin. */
export async function bindAmy(demo: Demo): Promise<void> {
  const amy = demo.simulator.phone('amy')
  await amy.scan((await clientOf(demo).getQrCode({ ...lin, label: 'li***@example.com' })).Url)
  await amy.follow()
}
