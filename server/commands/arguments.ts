/** Reads the arguments of a command. An argument that the command does not read is refused, because it would have no effect. Node only. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { BindError } from '../errors.ts'

type Options = NonNullable<ParseArgsConfig['options']>

type Expected<T extends Options> = {
  usage: string
  options?: T
  /** The maximum number of positional arguments. Default 0. */
  positionals?: number
}

/** Throws `BAD_REQUEST` with the usage. */
export function readArguments<const T extends Options>(
  args: string[],
  { usage, options, positionals: most = 0 }: Expected<T>,
) {
  const parsed = parseOrRefuse(args, usage, options)
  if (parsed.positionals.length > most) throw refused('there is an unexpected argument', '多余的参数', usage)
  return parsed
}

function parseOrRefuse<const T extends Options>(args: string[], usage: string, options: T | undefined) {
  try {
    return parseArgs({ args, allowPositionals: true, options: options ?? ({} as T) })
  } catch {
    // The message of `parseArgs` quotes the argument, which may be a password in a URL.
    throw refused('an option is unknown or has no value', '未知的选项，或缺少值', usage)
  }
}

const refused = (en: string, zh: string, usage: string) =>
  new BindError('BAD_REQUEST', `wechat-bind: ${en}. ${zh}。\nUsage 用法: ${usage}`)
