/**
 * Spreads requests that arrive together over several turns of the event loop, so that timers and other connections are not late. The
 * time until a request begins is not in the log and the metrics.
 */

// A poll takes 0.2 to 0.5 ms in its first turn, so a turn takes 16 ms at most. After a restart 3,000 requests may arrive at once. When
// all of them began in one turn, the event loop was 720 ms late (`npm run bench storm`).
const REQUESTS_A_TURN = 32

/** Returns a function that calls `begin` in order: in the next turn, or in a later one if more than 32 calls wait. */
export function inTurns<Call extends unknown[]>(begin: (...call: Call) => void): (...call: Call) => void {
  let waiting: Call[] = []

  function runTurn(): void {
    const now = waiting.slice(0, REQUESTS_A_TURN)
    waiting = waiting.slice(REQUESTS_A_TURN)
    if (waiting.length > 0) setImmediate(runTurn)
    for (const call of now) begin(...call)
  }

  return (...call) => {
    if (waiting.push(call) === 1) setImmediate(runTurn)
  }
}
