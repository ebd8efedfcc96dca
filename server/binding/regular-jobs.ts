/** The jobs that every instance repeats. */
import type { BindError } from '../errors.ts'
import type { Log, SetTimer } from '../platform.ts'
import type { FigureCounter } from '../telemetry/figures.ts'
import type { ChangeDeps } from './after-commit.ts'
import { expireScans } from './expire-scans.ts'

type JobDeps = ChangeDeps & {
  figures: FigureCounter
  /** Fetches the unionids that are due. */
  unionids: { fetchDue(): void }
  log: Log
}

export type RegularJobs = {
  /** Saves the counts of the console. Never rejects. */
  saveFigures(): Promise<void>
  stop(): void
}

const MINUTE_MS = 60_000

// An erasure is complete after two intervals. SQLite's log still contains the erased data for up to 30 s.
const PURGE_INTERVAL_MS = 10_000

// A killed server loses the counts of this time. With a shorter time a quiet server would write for almost every callback.
const FIGURES_INTERVAL_MS = 5_000

export function startJobs(deps: JobDeps, setRepeatingTimer: SetTimer): RegularJobs {
  const { store, figures, unionids, clock, log } = deps

  // A sweep of very many rows may take longer than the interval.
  let isSweeping = false
  async function sweep(): Promise<void> {
    if (isSweeping) return
    isSweeping = true
    const warn = (error: BindError) =>
      log.warn({ code: error.code }, 'expired scans or rows could not be removed; the server tries again in a minute')
    await expireScans(deps).catch(warn)
    await store.sweep(clock()).catch(warn)
    isSweeping = false
  }
  const purge = () =>
    store.purgeErased(clock() - PURGE_INTERVAL_MS).catch((error: BindError) => {
      log.warn({ code: error.code }, 'erasures could not be completed; the server tries again in 10 s')
    })
  const saveFigures = () =>
    figures.save().catch((error: BindError) => {
      log.debug({ code: error.code }, 'the figures of the console were not saved; the server tries again in 5 s')
    })

  unionids.fetchDue()
  const stops = [
    setRepeatingTimer(() => {
      unionids.fetchDue()
      void sweep()
    }, MINUTE_MS),
    setRepeatingTimer(() => void purge(), PURGE_INTERVAL_MS),
    setRepeatingTimer(() => void saveFigures(), FIGURES_INTERVAL_MS),
  ]
  return {
    saveFigures,
    stop() {
      for (const stop of stops) stop()
    },
  }
}
