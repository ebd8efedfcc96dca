/** Reads files with settings, and calls back after each change, so that keys and receivers can change without a restart. Node only. */
import { readFileSync, statSync } from 'node:fs'

// A change may take effect after a second, and a `stat` takes microseconds. `fs.watch` is not used, because it misses a file that
// editors or Kubernetes replace by renaming.
const CHECK_EVERY_MS = 1_000

/** Throws a TypeError `English | 中文` when the file cannot be read. */
export function readText(path: string): string {
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

export type WatchedFile = {
  /** Checks the file now. The timer also checks the file every second. */
  check(): void
  stop(): void
}

/** `onChange` must not throw. */
export function watchFile(path: string, onChange: () => void): WatchedFile {
  let seen = stampOf(path)

  function check(): void {
    const stamp = stampOf(path)
    if (stamp === seen) return
    seen = stamp
    onChange()
  }

  const timer = setInterval(check, CHECK_EVERY_MS).unref()
  return { check, stop: () => clearInterval(timer) }
}

/** Returns a text that changes when the file is replaced or written, or when its mode or owner changes. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeMs, ctimeMs, size } = statSync(path)
    return `${ino} ${mtimeMs} ${ctimeMs} ${size}`
  } catch (error) {
    return `none: ${(error as NodeJS.ErrnoException).code}`
  }
}
