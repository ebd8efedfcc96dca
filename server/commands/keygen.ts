/** `wechat-bind keygen`: prints a new key for BIND_KEYS, a webhook secret (`--webhook`) or a token of the console (`--console`). Node only. */
import { randomBytes } from 'node:crypto'
import { BindError } from '../errors.ts'
import { parseKeys } from '../keys/keyring.ts'
import { parseOperators } from '../keys/operators.ts'
import { readArguments } from './arguments.ts'

const usage = 'wechat-bind keygen [kid | --webhook | --console NAME [--operator]]'

export function runKeygen(args: string[], print: (line: string) => void): void {
  const isOther = args.includes('--webhook') || args.includes('--console')
  const { values, positionals } = readArguments(args, {
    usage,
    options: { webhook: { type: 'boolean' }, console: { type: 'string' }, operator: { type: 'boolean' } },
    positionals: isOther ? 0 : 1,
  })
  if ((values.webhook && values.console !== undefined) || (values.operator && values.console === undefined)) {
    throw new BindError(
      'BAD_REQUEST',
      `wechat-bind: there is an unexpected argument. 多余的参数。\nUsage 用法: ${usage}`,
    )
  }
  if (values.webhook) print(`whsec_${randomBytes(32).toString('base64')}`)
  else if (values.console !== undefined) print(newToken(values.console, values.operator ?? false))
  else print(newEntry(positionals[0]))
}

function newEntry(kid = `key-${randomBytes(3).toString('hex')}`): string {
  const entry = `${kid}:${randomBytes(32).toString('base64url')}`
  // Throws if the key id is not valid in BIND_KEYS.
  parseKeys(entry)
  return entry
}

/** An entry of CONSOLE_TOKENS. The role `viewer` is the default, and is left out. */
function newToken(name: string, isOperator: boolean): string {
  const entry = `${name}:${randomBytes(32).toString('base64url')}${isOperator ? ':operator' : ''}`
  // Throws if the name is not valid in CONSOLE_TOKENS.
  parseOperators(entry)
  return entry
}
