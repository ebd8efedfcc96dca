/** The keys in a file: one a line, read again when the file changes, so that a key is rotated without a restart. NODE. */
import { readFileSync, statSync } from 'node:fs'
import { BindError } from '../errors.ts'
import type { Log } from '../platform.ts'
import { type BindKey, parseKeys } from './keyring.ts'

// A look at the file's date costs microseconds; a rotation may take a second to be seen. Editors and Kubernetes replace
// files by renaming, which watching by events misses.
const LOOK_EVERY_MS = 1_000

/** Throws `BAD_CONFIG` when the file cannot be read or holds something else. */
export function readKeyFile(path: string): BindKey[] {
  try {
    return parseKeys(readFileSync(path, 'utf8'))
  } catch (cause) {
    const what = (cause as Error).message.split(' | ')
    throw new BindError('BAD_CONFIG', `BIND_KEYS_FILE: ${what[0]}\n    ${what[1] ?? '无法读取该文件'}`, { cause })
  }
}

export type KeyFileWatch = {
  /** Looks now; what the timer does each second. */
  look(): void
  stop(): void
}

/** Calls `onKeys` after each change; a file that does not parse is logged, and the keys stay as they are. */
export function watchKeyFile(path: string, onKeys: (keys: BindKey[]) => void, log: Log): KeyFileWatch {
  let seen = stampOf(path)

  function look(): void {
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

  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  return { look, stop: () => clearInterval(timer) }
}

/** Another file, another date or another size: something was written. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path)
    return `${ino} ${mtimeMs} ${size}`
  } catch (error) {
    return `none: ${(error as NodeJS.ErrnoException).code}`
  }
}
