/** Reads keys from a file, one per line, and again after each change, so that keys can rotate without a restart. Node only. */
import { BindError } from '../errors.ts'
import type { Log } from '../platform.ts'
import { readText, type WatchedFile, watchFile } from '../watched-file.ts'
import { type BindKey, parseKeys } from './keyring.ts'

export type ReadKeyFile = (path: string) => BindKey[]

/** Throws a TypeError `English | 中文` when the file cannot be read or does not parse. */
export const parseKeyFile: ReadKeyFile = (path) => parseKeys(readText(path))

/** Throws `BAD_CONFIG` when the file cannot be read or does not parse. */
export const readKeyFile: ReadKeyFile = (path) => {
  try {
    return parseKeyFile(path)
  } catch (cause) {
    const [en, zh] = (cause as Error).message.split(' | ')
    throw new BindError('BAD_CONFIG', `BIND_KEYS_FILE: ${en}\n    ${zh}`, { cause })
  }
}

/** Calls `onKeys` after each change. A file that does not parse is logged, and the current keys stay in use. */
export function watchKeyFile(path: string, onKeys: (keys: BindKey[]) => void, log: Log): WatchedFile {
  return watchFile(path, () => {
    try {
      const keys = readKeyFile(path)
      onKeys(keys)
      log.info({ keys: keys.length }, 'BIND_KEYS_FILE was read again')
    } catch (error) {
      log.error({ code: (error as BindError).code }, (error as Error).message)
    }
  })
}
