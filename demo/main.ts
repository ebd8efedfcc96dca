/** `npm start`: the demo, with one line that says where it is. NODE. */
import { closeOnSignal } from '../server/main.ts'
import { startDemo } from './demo.ts'

try {
  const { url, close } = await startDemo({ env: process.env, dataDir: 'data' })
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
