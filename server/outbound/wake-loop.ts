/**
 * A background loop that runs while there is work. `wake` starts the loop, or makes a running loop take another step. `wake`
 * sets a flag. The loop clears the flag before each step and reads it after the step, so a `wake` during a step is never lost.
 */

type WakeLoop = {
  wake(): void
  /** Resolves when no step runs. */
  idle(): Promise<void>
  /** Starts no further step. Resolves at the end of the current step. */
  close(): Promise<void>
}

/** `step` returns true while more work is left, and never throws. */
export function createWakeLoop(step: () => Promise<boolean>): WakeLoop {
  let running: Promise<void> | undefined
  let isAwake = false
  let isClosed = false

  async function run(): Promise<void> {
    while (isAwake && !isClosed) {
      isAwake = false
      if (await step()) isAwake = true
    }
    running = undefined
  }

  async function idle(): Promise<void> {
    while (running) await running
  }

  return {
    wake() {
      isAwake = true
      if (!isClosed) running ??= run()
    },
    idle,
    close() {
      isClosed = true
      return idle()
    },
  }
}
