/** `npm start`: starts the demo and prints its URL and the URLs for a phone. Node only. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import QRCode from 'qrcode'
import { closeOnSignal } from '../server/serve.ts'
import { type Demo, startDemo } from './demo.ts'
import { startPostgresServer } from './postgres.ts'

type Started = Pick<Demo, 'url' | 'networkUrls' | 'close'>

/**
 * `--postgres` starts two instances with a temporary PostgreSQL server. `--temporary` is for tests: the demo removes
 * its data at the end.
 */
async function start(): Promise<Started> {
  const { values } = parseArgs({
    options: { postgres: { type: 'boolean', default: false }, temporary: { type: 'boolean', default: false } },
  })
  if (values.postgres) {
    const postgres = await startPostgresServer()
    const env = { ...process.env, DATABASE_URL: postgres.urlOf('postgres') }
    return startWith(() => startDemo({ env, dataDir: postgres.folder, instances: 2 }), postgres.remove)
  }
  if (!values.temporary) return startDemo({ env: process.env, dataDir: 'data' })
  const dataDir = await mkdtemp(join(tmpdir(), 'wechat-bind-demo-'))
  return startWith(
    () => startDemo({ env: process.env, dataDir }),
    () => rm(dataDir, { recursive: true, force: true }),
  )
}

/** Removes the temporary files after the demo has closed or failed to start. */
async function startWith(start: () => Promise<Demo>, remove: () => Promise<void>): Promise<Started> {
  try {
    const { url, networkUrls, close } = await start()
    return {
      url,
      networkUrls,
      async close() {
        await close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

try {
  const { url, networkUrls, close } = await start()
  closeOnSignal(close)
  console.log(`wechat-bind demo is ready 演示已就绪: ${url}`)
  for (const other of networkUrls) console.log(`Open on a phone 供手机访问: ${other}`)
  // The QR code contains the first URL, so that a phone can open it with its camera.
  const [first] = networkUrls
  if (first && process.stdout.isTTY) console.log(await QRCode.toString(first, { type: 'terminal', small: true }))
} catch (error) {
  console.error(toMessage(error as NodeJS.ErrnoException))
  process.exit(1)
}

function toMessage({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'EADDRINUSE') return message
  const port = process.env.PORT || 4000
  return `Port ${port} is in use: set PORT to another port. 端口 ${port} 已被占用：请用 PORT 指定其他端口。`
}
