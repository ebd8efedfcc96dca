/**
 * Syncs a file in Node's thread pool, so that a slow disk delays only the answers that wait for it, not the event loop.
 *
 * One sync runs at a time. A caller that arrives during a sync needs the next one, because the running sync may have started before
 * the caller's write. All such callers share the next sync.
 *
 * What could go wrong: after a failed fsync the system may have dropped the pages that it could not write, and may report the
 * next fsync as successful (https://wiki.postgresql.org/wiki/Fsync_Errors). So after the first failure every call fails until
 * the process is restarted.
 */

type Fsync = {
  /** Resolves when everything written before the call is on the disk. */
  sync(): Promise<void>
  /** Throws once a sync has failed. */
  assertHealthy(): void
}

export function createFsync(datasync: () => Promise<void>): Fsync {
  let current: Promise<void> | undefined
  let next: Promise<void> | undefined
  let hasFailed = false

  function assertHealthy(): void {
    if (hasFailed) throw new Error('the disk failed to sync (fsync): check it, then restart the server')
  }

  async function runSync(): Promise<void> {
    assertHealthy()
    try {
      await datasync()
    } catch (error) {
      hasFailed = true
      throw error
    }
  }

  function start(): Promise<void> {
    next = undefined
    const started = runSync().finally(() => {
      if (current === started) current = undefined
    })
    current = started
    return started
  }

  return {
    sync() {
      if (!current) return start()
      next ??= current.then(start, start)
      return next
    },
    assertHealthy,
  }
}
