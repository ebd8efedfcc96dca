/** Sets the permissions of the database's files, which contain openids. Only the owner may read a new file. Node only. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const OTHERS = 0o007

/** If the file is a symbolic link, SQLite puts its log beside the link's target. */
const besideTarget = (file: string, suffix: string) => realpathSync(file) + suffix

/**
 * Creates the folder (0700) and the file (0600), whatever the umask. SQLite gives its log and the log's index the permissions of
 * the file. An earlier version created files that everyone can read, so the permissions of other users are removed from existing
 * files. The permissions of the owner, of the group and of an existing folder do not change.
 */
export function restrictFiles(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // `a` does not truncate the file, because another process may create it at the same time.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  for (const suffix of ['', '-wal', '-shm']) takeFromOthers(besideTarget(file, suffix))
}

function takeFromOthers(path: string): void {
  try {
    const { mode } = statSync(path)
    if ((mode & OTHERS) !== 0) chmodSync(path, mode & 0o777 & ~OTHERS)
  } catch {
    // The file does not exist, or another user owns it. The doctor warns of the second case.
  }
}

/** Whether the existing file has a log with content, for example because the server was killed. */
export function hasLog(file: string): boolean {
  return (statSync(besideTarget(file, '-wal'), { throwIfNoEntry: false })?.size ?? 0) > 0
}
