/** `wechat-bind serve`: runs the bind server until SIGTERM or SIGINT. Node only. */
import type { Env } from '../config/config.ts'
import { closeOnSignal, startServer } from '../serve.ts'
import { readArguments } from './arguments.ts'

export async function runServe(args: string[], env: Env): Promise<void> {
  readArguments(args, { usage: 'wechat-bind serve' })
  const { close } = await startServer(env)
  closeOnSignal(close)
}
