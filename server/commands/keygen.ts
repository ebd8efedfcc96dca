/** `wechat-bind keygen`: prints a new key for BIND_KEYS, or a new webhook secret with `--webhook`. Node only. */
import { randomBytes } from 'node:crypto'
import { parseKeys } from '../keys/keyring.ts'
import { readArguments } from './arguments.ts'

export function runKeygen(args: string[], print: (line: string) => void): void {
  const isWebhook = args.includes('--webhook')
  const { positionals } = readArguments(args, {
    usage: 'wechat-bind keygen [kid | --webhook]',
    options: { webhook: { type: 'boolean' } },
    positionals: isWebhook ? 0 : 1,
  })
  print(isWebhook ? `whsec_${randomBytes(32).toString('base64')}` : newEntry(positionals[0]))
}

function newEntry(kid = `key-${randomBytes(3).toString('hex')}`): string {
  const entry = `${kid}:${randomBytes(32).toString('base64url')}`
  // Throws if the key id is not valid in BIND_KEYS.
  parseKeys(entry)
  return entry
}
