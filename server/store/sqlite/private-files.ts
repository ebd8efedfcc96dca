/** The permissions of the database's files, which hold openids: only their owner may read a new one. Node only. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const OTHERS = 0o007

/** If the file is a symbolic link, SQLite puts its log beside the link's target. */
const besideTarget = (file: string, suffix: string) => realpathSync(file) + suffix

/**
 * Creates the folder (0700) and the file (0600), whatever the umask. SQLite gives its log and the log's index the permissions of
 * the file. Of files that exist, which an earlier version created readable for everyone, it takes the permissions of other users and
 * leaves those of the owner and the group. A folder that exists stays as it is.
 */
export function restrictFiles(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // Another process may create it at the same time: it is not truncated.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  for (const suffix of ['', '-wal', '-shm']) takeFromOthers(besideTarget(file, suffix))
}

function takeFromOthers(path: string): void {
  try {
    const { mode } = statSync(path)
    if ((mode & OTHERS) !== 0) chmodSync(path, mode & 0o777 & ~OTHERS)
  } catch {
    // There is no such file, or another user owns it: the doctor warns of that.
  }
}

/** Whether the existing file has a log with content, as after a server that was killed. */
export function hasLog(file: string): boolean {
  return (statSync(besideTarget(file, '-wal'), { throwIfNoEntry: false })?.size ?? 0) > 0
}
