/** `wechat-bind token`: prints a widget token for a test, made with the first key of BIND_KEYS. Node only. */
import { createBindClient } from '../client.ts'
import { type Env, readBindKeys } from '../config/config.ts'
import { BindError } from '../errors.ts'
import { readArguments } from './arguments.ts'

const usage = 'wechat-bind token <account> <user>'

export async function runToken(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { positionals } = readArguments(args, { usage, positionals: 2 })
  const [account, userId] = positionals
  if (!account || !userId) throw new BindError('BAD_REQUEST', `Usage 用法: ${usage}`)
  const [key] = readBindKeys(env)
  if (!key) throw new BindError('BAD_CONFIG', 'BIND_KEYS: is missing')
  // The server URL is not used, because making a token needs no call.
  const client = createBindClient({ server: 'http://localhost', keyId: key.kid, key: key.secret })
  print(await client.mintToken({ account, userId, ttlSeconds: 3600 }))
}
