/** `npm start`: starts the demo and prints its URL and the URLs for a phone. Node only. */
import { parseArgs } from 'node:util'
import QRCode from 'qrcode'
import { closeOnSignal } from '../server/serve.ts'
import { type Demo, startDemo } from './demo.ts'
import { startPostgresServer } from './postgres.ts'

/** `--postgres`: two instances over a temporary PostgreSQL server. */
async function start(): Promise<Pick<Demo, 'url' | 'networkUrls' | 'close'>> {
  const { values } = parseArgs({ options: { postgres: { type: 'boolean', default: false } } })
  if (!values.postgres) return startDemo({ env: process.env, dataDir: 'data' })
  const postgres = await startPostgresServer()
  try {
    const env = { ...process.env, DATABASE_URL: postgres.urlOf('postgres') }
    const { url, networkUrls, close } = await startDemo({ env, dataDir: postgres.folder, instances: 2 })
    return {
      url,
      networkUrls,
      async close() {
        await close()
        await postgres.remove()
      },
    }
  } catch (error) {
    await postgres.remove()
    throw error
  }
}

try {
  const { url, networkUrls, close } = await start()
  closeOnSignal(close)
  console.log(`wechat-bind demo 演示已就绪: ${url}`)
  for (const other of networkUrls) console.log(`for a phone 供手机访问: ${other}`)
  // A QR code of the first URL, for the phone's camera.
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
