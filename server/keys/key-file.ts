/** Reads keys from a file, one per line, and again after each change, so that keys can rotate without a restart. Node only. */
import { readFileSync, statSync } from 'node:fs'
import { BindError } from '../errors.ts'
import type { Log } from '../platform.ts'
import { type BindKey, parseKeys } from './keyring.ts'

// A change may take effect after a second, and a `stat` takes microseconds. `fs.watch` is not used, because it misses a file that
// editors or Kubernetes replace by renaming.
const CHECK_EVERY_MS = 1_000

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

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new TypeError(
      `cannot be read (${code}): check the path and that this server's user may read the file | ` +
        `无法读取（${code}）：请检查路径，并确认运行本服务的用户有读权限`,
      { cause },
    )
  }
}

type KeyFileWatch = {
  /** Checks the file now. The timer does the same every second. */
  check(): void
  stop(): void
}

/** Calls `onKeys` after each change. A file that does not parse is logged, and the current keys stay in use. */
export function watchKeyFile(path: string, onKeys: (keys: BindKey[]) => void, log: Log): KeyFileWatch {
  let seen = stampOf(path)

  function check(): void {
    const stamp = stampOf(path)
    if (stamp === seen) return
    seen = stamp
    try {
      const keys = readKeyFile(path)
      onKeys(keys)
      log.info({ keys: keys.length }, 'BIND_KEYS_FILE was read again')
    } catch (error) {
      log.error({ code: (error as BindError).code }, (error as Error).message)
    }
  }

  const timer = setInterval(check, CHECK_EVERY_MS).unref()
  return { check, stop: () => clearInterval(timer) }
}

/** Returns a text that changes when the file is replaced or written. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path)
    return `${ino} ${mtimeMs} ${size}`
  } catch (error) {
    return `none: ${(error as NodeJS.ErrnoException).code}`
  }
}
