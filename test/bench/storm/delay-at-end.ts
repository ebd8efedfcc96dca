/** Loaded into a server by `--import`. Writes the longest delay of the event loop, in ms, between SIGTERM and the exit to the file `EVENT_LOOP_FILE`. */
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

process.once('SIGTERM', () => {
  const histogram = monitorEventLoopDelay({ resolution: 10 })
  histogram.enable()
  process.once('exit', () => writeFileSync(process.env.EVENT_LOOP_FILE!, String(histogram.max / 1e6)))
})
