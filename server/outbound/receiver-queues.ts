/**
 * Knows which receivers may have due notices, so that this instance claims only for these receivers. A claim is a write, and
 * after most answers no further claim is needed. Other instances change the queues too, so the sender sometimes calls `mayBeDue`
 * for all.
 */
import type { Notice, Room } from '../store/outbox.ts'

type ReceiverQueues = {
  /** Whether a receiver may have a due notice. */
  isAnyDue(): boolean
  mayBeDue(name: string): void
  /** A notice was added to the queue of the receiver. */
  added(name: string): void
  /** Divides `room` among the receivers that may have a due notice. `limitOf` returns how many requests a receiver may have in flight. */
  divide(room: number, limitOf: (name: string) => number): Room[]
  claimed(rooms: Room[], notices: Notice[]): void
  requestBegins(name: string): void
  requestEnds(name: string): void
}

export function createReceiverQueues(): ReceiverQueues {
  const due = new Set<string>()
  const inFlight = new Map<string, number>()
  /** The notices that this instance has added to each queue and not claimed yet, as far as it knows. */
  const queued = new Map<string, number>()
  const add = (counts: Map<string, number>, name: string, more: number) =>
    counts.set(name, (counts.get(name) ?? 0) + more)

  function divide(room: number, limitOf: (name: string) => number): Room[] {
    const rooms: Room[] = []
    let left = room
    // Each receiver gets the same share, so that one claim takes the notices of all receivers of an event.
    const share = Math.ceil(left / due.size)
    // Receivers that get no share now stay in `due`, and are served first the next time.
    for (const receiver of due) {
      if (left <= 0) break
      due.delete(receiver)
      const free = Math.min(limitOf(receiver) - (inFlight.get(receiver) ?? 0), share, left)
      if (free > 0) rooms.push({ receiver, room: free })
      left -= Math.max(free, 0)
    }
    return rooms
  }

  function claimed(rooms: Room[], notices: Notice[]): void {
    for (const { receiver, room } of rooms) {
      const taken = notices.filter((notice) => notice.receiver === receiver).length
      const isIdle = taken === 0 && (inFlight.get(receiver) ?? 0) === 0
      // After a full claim, more due notices may be left in the store.
      const left = isIdle ? 0 : Math.max((queued.get(receiver) ?? 0) - taken, taken === room ? 1 : 0)
      queued.set(receiver, left)
    }
  }

  return {
    isAnyDue: () => due.size > 0,
    mayBeDue: (name) => due.add(name),
    added(name) {
      add(queued, name, 1)
      due.add(name)
    },
    divide,
    claimed,
    requestBegins: (name) => add(inFlight, name, 1),
    requestEnds(name) {
      add(inFlight, name, -1)
      if ((queued.get(name) ?? 0) > 0) due.add(name)
    },
  }
}
