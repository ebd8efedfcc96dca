/** Vitest's options of `expect`, for all kinds of tests. */

export const expectOptions = {
  // Fails a test in which no assertion has run, for example because all assertions are in a callback that was never
  // called.
  requireAssertions: true,
  // Vitest's default is one second, which is too short on a machine with much other work.
  poll: { timeout: 30_000 },
}
