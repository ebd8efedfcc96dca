/** `wechat-bind demo`: starts the demo as a child process, because the server must not import the demo. Node only. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readArguments } from './arguments.ts'

export function runDemo(args: string[]): void {
  readArguments(args, {
    usage: 'wechat-bind demo [--postgres | --temporary]',
    options: { postgres: { type: 'boolean' }, temporary: { type: 'boolean' } },
  })
  const built = new URL('../../demo/main.js', import.meta.url)
  const main = existsSync(built) ? built : new URL('../../demo/main.ts', import.meta.url)
  const child = spawn(process.execPath, [fileURLToPath(main), ...args], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 0))
}
