/**
 * Waits for the write lock that another process holds: a command, a backup, or a server that starts. Node only.
 *
 * SQLite waits inside the driver, which blocks the event loop, and checks the lock at growing intervals. So the driver waits for
 * `BUSY_TIMEOUT_MS` only, and `retryWhileBusy` repeats a transaction every ms. An import leaves the lock for a few ms between its
 * batches, and a callback must not miss this gap. A single statement of Kysely is not repeated that way: `createPatience` gives it
 * the longer `STATEMENT_TIMEOUT_MS` if it finds the lock taken.
 */
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

export const BUSY_TIMEOUT_MS = 2
const RETRY_AFTER_MS = 1
export const STATEMENT_TIMEOUT_MS = 20

// A backup or a second process may hold the write lock briefly. A longer wait is reported to the callback as an error.
const LOCK_TIMEOUT_MS = 1_000

const SQLITE_BUSY = 5

/** The primary result code is the low byte of SQLite's extended result code. */
export const errcodeOf = (error: unknown) => ((error as { errcode?: number }).errcode ?? 0) & 0xff

/** Tries again while another process holds the write lock, without blocking the event loop. */
export async function retryWhileBusy<T>(attempt: () => T, timeoutMs = LOCK_TIMEOUT_MS): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; ; await delay(RETRY_AFTER_MS)) {
    try {
      return attempt()
    } catch (error) {
      if (errcodeOf(error) !== SQLITE_BUSY || Date.now() > deadline) throw error
    }
  }
}

/** Runs a statement. If another process has the lock, runs it again with the longer timeout. */
export type Patience = <T>(statement: () => T) => T

export function createPatience(database: Pick<DatabaseSync, 'exec'>): Patience {
  return (statement) => {
    try {
      return statement()
    } catch (error) {
      if (errcodeOf(error) !== SQLITE_BUSY) throw error
    }
    setBusyTimeout(database, STATEMENT_TIMEOUT_MS)
    try {
      return statement()
    } finally {
      setBusyTimeout(database, BUSY_TIMEOUT_MS)
    }
  }
}

export function setBusyTimeout(database: Pick<DatabaseSync, 'exec'>, ms: number): void {
  database.exec(`PRAGMA busy_timeout = ${ms}`)
}
