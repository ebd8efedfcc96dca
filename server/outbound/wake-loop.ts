/**
 * A loop in the background that sleeps while there is nothing to do. `wake` starts it, or makes a running one go round once
 * more. The flag is cleared before each step and read after it in the same turn of the event loop, so a wake that arrives
 * during a step is never lost.
 */

type WakeLoop = {
  wake(): void
  /** Resolves when no step runs. */
  idle(): Promise<void>
  /** Starts no further step; resolves when the current one has ended. */
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
