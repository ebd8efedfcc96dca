/** `npm start`: the demo, with one line that says where it is, and one for each way that leads a phone to it. NODE. */
import { parseArgs } from 'node:util'
import QRCode from 'qrcode'
import { closeOnSignal } from '../server/serve.ts'
import { type Demo, startDemo } from './demo.ts'
import { startPostgresServer } from './postgres.ts'

/** `--postgres`: two instances over one PostgreSQL that lasts as long as the demo. */
async function start(): Promise<Pick<Demo, 'url' | 'othersUrls' | 'close'>> {
  const { values } = parseArgs({ options: { postgres: { type: 'boolean', default: false } } })
  if (!values.postgres) return startDemo({ env: process.env, dataDir: 'data' })
  const postgres = await startPostgresServer()
  try {
    const env = { ...process.env, DATABASE_URL: postgres.urlOf('postgres') }
    const { url, othersUrls, close } = await startDemo({ env, dataDir: postgres.folder, instances: 2 })
    return {
      url,
      othersUrls,
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
  const { url, othersUrls, close } = await start()
  closeOnSignal(close)
  console.log(`wechat-bind demo 演示已就绪: ${url}`)
  for (const other of othersUrls) console.log(`for a phone 供手机访问: ${other}`)
  // Nobody likes to type an address on a phone.
  const [first] = othersUrls
  if (first && process.stdout.isTTY) console.log(await QRCode.toString(first, { type: 'terminal', small: true }))
} catch (error) {
  console.error(toMessage(error as NodeJS.ErrnoException))
  process.exit(1)
}

function toMessage({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'EADDRINUSE') return message
  const port = process.env.PORT || 4000
  return `Port ${port} is taken: set PORT to another one. 端口 ${port} 已被占用：请用 PORT 指定其他端口。`
}
