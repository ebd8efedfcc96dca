/** `wechat-bind keygen`: prints a new key for BIND_KEYS, or a new webhook secret with `--webhook`. Node only. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { parseKeys } from '../keys/keyring.ts'

export function runKeygen(args: string[], print: (line: string) => void): void {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { webhook: { type: 'boolean' } } })
  print(values.webhook ? `whsec_${randomBytes(32).toString('base64')}` : newEntry(positionals[0]))
}

function newEntry(kid = `key-${randomBytes(3).toString('hex')}`): string {
  const entry = `${kid}:${randomBytes(32).toString('base64url')}`
  // Throws if the key id is not valid in BIND_KEYS.
  parseKeys(entry)
  return entry
}
