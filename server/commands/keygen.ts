/** `wechat-bind keygen`: prints a new key for BIND_KEYS, or with `--webhook` a new webhook secret. NODE. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { parseKeys } from '../keys/keyring.ts'

export function runKeygen(args: string[], print: (line: string) => void): void {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { webhook: { type: 'boolean' } } })
  print(values.webhook ? `whsec_${randomBytes(32).toString('base64')}` : newEntry(positionals[0]))
}

function newEntry(kid = `key-${randomBytes(3).toString('hex')}`): string {
  const entry = `${kid}:${randomBytes(32).toString('base64url')}`
  // Throws for a key id that BIND_KEYS cannot hold.
  parseKeys(entry)
  return entry
}
