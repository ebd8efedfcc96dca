/** `wechat-bind token`: prints a widget token for a test, made with the first key of BIND_KEYS. Node only. */
import { parseArgs } from 'node:util'
import { createBindClient } from '../client.ts'
import type { Env } from '../config/config.ts'
import { createEnvReader } from '../config/env-reader.ts'
import { BindError } from '../errors.ts'
import { readKeyFile } from '../keys/key-file.ts'
import { type BindKey, parseKeys } from '../keys/keyring.ts'

export async function runToken(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const [account, userId] = positionals
  if (!account || !userId) throw new BindError('BAD_REQUEST', 'Usage: wechat-bind token <account> <user>')
  const key = firstKey(env)
  // The server URL is not used, because making a token needs no call.
  const client = createBindClient({ server: 'http://localhost', keyId: key.kid, key: key.secret })
  print(await client.mintToken({ account, userId, ttlSeconds: 3600 }))
}

function firstKey(env: Env): BindKey {
  const reader = createEnvReader(env)
  const keys = env.BIND_KEYS_FILE ? readKeyFile(env.BIND_KEYS_FILE) : reader.parsed('BIND_KEYS', parseKeys, [])
  if (!keys[0]) throw new BindError('BAD_CONFIG', reader.faults.join('\n'))
  return keys[0]
}
