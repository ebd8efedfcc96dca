/** `npm start`: the demo, with one line that says where it is. NODE. */
import { parseArgs } from 'node:util'
import { closeOnSignal } from '../server/main.ts'
import { type Demo, startDemo } from './demo.ts'
import { startDemoPostgres } from './postgres.ts'

/** `--postgres`: two instances over one PostgreSQL that lasts as long as the demo. */
async function start(): Promise<Pick<Demo, 'url' | 'close'>> {
  const { values } = parseArgs({ options: { postgres: { type: 'boolean', default: false } } })
  if (!values.postgres) return startDemo({ env: process.env, dataDir: 'data' })
  const postgres = await startDemoPostgres()
  const env = { ...process.env, DATABASE_URL: postgres.url }
  const demo = await startDemo({ env, dataDir: postgres.folder, instances: 2 })
  return {
    url: demo.url,
    async close() {
      await demo.close()
      await postgres.stop()
    },
  }
}

try {
  const { url, close } = await start()
  closeOnSignal(close)
  console.log(`wechat-bind demo 演示已就绪: ${url}`)
} catch (error) {
  console.error(toMessage(error as NodeJS.ErrnoException))
  process.exit(1)
}

function toMessage({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'EADDRINUSE') return message
  const port = process.env.PORT || 4000
  return `Port ${port} is taken: set PORT to another one. 端口 ${port} 已被占用：请用 PORT 指定其他端口。`
}
