/** `wechat-bind serve`: runs the bind server until SIGTERM or SIGINT. Node only. */
import type { Env } from '../config/config.ts'
import { closeOnSignal, startServer } from '../serve.ts'

export async function runServe(env: Env): Promise<void> {
  const { close } = await startServer(env)
  closeOnSignal(close)
}
