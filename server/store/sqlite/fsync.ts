/** Syncs a file beside the event loop: a disk that takes its time holds up the answers that wait for it, and nothing else. */

type Fsync = {
  /** Resolves when all that was written before the call is on the disk. */
  synced(): Promise<void>
  /** Throws once a sync has failed: the system may have dropped what it could not write, and call the next one a success. */
  assertHealthy(): void
}

/** One sync at a time; all who ask while one is under way share the next, since only that begins after their writing. */
export function createFsync(sync: () => Promise<void>): Fsync {
  let underway: Promise<void> | undefined
  let next: Promise<void> | undefined
  let failed = false

  function assertHealthy(): void {
    if (failed) throw new Error('the disk failed to sync: see to it, and restart the server')
  }

  async function begin(): Promise<void> {
    assertHealthy()
    try {
      await sync()
    } catch (error) {
      failed = true
      throw error
    }
  }

  function start(): Promise<void> {
    next = undefined
    const begun = begin().finally(() => {
      if (underway === begun) underway = undefined
    })
    underway = begun
    return begun
  }

  return {
    synced() {
      if (!underway) return start()
      next ??= underway.then(start, start)
      return next
    },
    assertHealthy,
  }
}
