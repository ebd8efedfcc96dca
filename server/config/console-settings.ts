/** The settings of the console (`CONSOLE_…`). Node only. */

import { type Operator, parseOperators } from '../keys/operators.ts'
import { parseOperatorsFile } from '../keys/operators-file.ts'
import type { EnvReader } from './env-reader.ts'

export type ConsoleSettings = {
  /** The address of the console. Undefined: `serve` opens no port for it. `port` 0 takes a free port. */
  listen: { host: string; port: number } | undefined
  /** The operators of CONSOLE_TOKENS, or the operators that CONSOLE_TOKENS_FILE contained when the settings were read. */
  operators: Operator[]
  /** A file with the operators, one per line, which is read again when it changes. */
  tokensFile: string | undefined
  /** Further names under which browsers reach the console, without a port. Loopback names and `listen.host` need no entry. */
  allowedHosts: string[]
}

const HOSTS = /^[\w.-]+(\s*,\s*[\w.-]+)*$/

export function parseConsole(reader: EnvReader, others: { name: string; port: number | undefined }[]): ConsoleSettings {
  const port = reader.optionalInteger('CONSOLE_PORT', 0, 65_535)
  const host = reader.text('CONSOLE_HOST')
  const hosts = reader.optional('CONSOLE_ALLOWED_HOSTS', HOSTS, {
    en: 'must be host names separated by commas, without scheme and port, for example console.example.com',
    zh: '须为以逗号分隔的主机名，不带协议与端口，例如 console.example.com',
  })
  if (host !== undefined && reader.text('CONSOLE_PORT') === undefined) {
    reader.addFault('CONSOLE_HOST', {
      en: 'needs CONSOLE_PORT: without CONSOLE_PORT the console is off',
      zh: '须与 CONSOLE_PORT 同时设置：未设置 CONSOLE_PORT 时不开启控制台',
    })
  }
  const same = others.find((other) => port !== undefined && port !== 0 && other.port === port)
  if (same) {
    reader.addFault('CONSOLE_PORT', { en: `must differ from ${same.name}`, zh: `须与 ${same.name} 不同` })
  }
  const settings = {
    listen: port === undefined ? undefined : { host: host ?? '127.0.0.1', port },
    ...parseTokens(reader),
    allowedHosts: (hosts ?? '').split(',').flatMap((name) => name.trim().toLowerCase() || []),
  }
  if (port !== undefined && !reader.isSet('CONSOLE_TOKENS') && !reader.isSet('CONSOLE_TOKENS_FILE')) {
    reader.addFault('CONSOLE_PORT', {
      en: 'needs CONSOLE_TOKENS or CONSOLE_TOKENS_FILE, because operators sign in with a token: make one with "npx wechat-bind keygen --console NAME"',
      zh: '须与 CONSOLE_TOKENS 或 CONSOLE_TOKENS_FILE 同时设置，否则无人能登录：可用 “npx wechat-bind keygen --console 名称” 生成令牌',
    })
  }
  return settings
}

function parseTokens(reader: EnvReader): Pick<ConsoleSettings, 'operators' | 'tokensFile'> {
  const tokensFile = reader.text('CONSOLE_TOKENS_FILE')
  const tokens = reader.text('CONSOLE_TOKENS')
  if (tokensFile !== undefined) {
    return { operators: reader.parsed('CONSOLE_TOKENS_FILE', parseOperatorsFile, []), tokensFile }
  }
  return { operators: tokens === undefined ? [] : reader.parsed('CONSOLE_TOKENS', parseOperators, []), tokensFile }
}
