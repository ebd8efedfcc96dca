/**
 * Detects commits of another process to the same file, for example of an operator's command while the server runs. Node only.
 *
 * SQLite sends no notifications. `PRAGMA data_version` returns another value after a commit of another connection. It takes 15 us and
 * reads no table. The server queries it every second, so a page or a webhook gets the change of a command at most a second late. The
 * pragma does not say which rows have changed, so every waiting page reads its user again.
 *
 * What could go wrong: truncating the log (`checkpoints.ts`) also changes the value. The waiting pages then read their users once more than necessary.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { SetTimer } from '../../platform.ts'

const INTERVAL_MS = 1_000

/** Returns a function that ends the watch. */
export function watchOtherProcesses(database: DatabaseSync, onCommit: () => void, setTimer: SetTimer): () => void {
  const statement = database.prepare('PRAGMA data_version')
  const read = () => (statement.get() as { data_version: number }).data_version
  let last = read()
  let cancel = setTimer(check, INTERVAL_MS)

  function check(): void {
    cancel = setTimer(check, INTERVAL_MS)
    try {
      const version = read()
      if (version === last) return
      last = version
    } catch {
      // The disk has failed. The next request reports the error.
      return
    }
    onCommit()
  }

  return () => cancel()
}
