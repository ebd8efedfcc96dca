/**
 * Moves new events from the outbox to the queues of their receivers, while this instance holds the dispatch lease. Reads the outbox
 * after `wake`, and once a second for the events of other instances.
 */
import type { WebhookReceivers } from '../config/webhook-receivers.ts'
import type { Notice, Outbox } from '../store/outbox.ts'

type WebhookDispatcher = {
  /** `receivers`: the receiver of each notice that was added. `isMore`: more events can be moved at once. */
  dispatch(): Promise<{ receivers: string[]; isMore: boolean }>
  /** The time at which `dispatch` has work again. Before this time it does nothing. */
  nextAt(): number
  /** Makes `dispatch` read the outbox at once. */
  wake(): void
  /** Releases the lease, so that another instance may take over. */
  close(): Promise<void>
}

type DispatcherDeps = {
  outbox: Pick<Outbox, 'dispatch' | 'lease' | 'release'>
  webhooks: () => WebhookReceivers
  clock: () => number
  holder: string
}

const POLL_MS = 1_000

// The lease is renewed after half of this time.
const LEASE_MS = 10_000

// How often the outbox is read while an event waits for its unionid.
const HELD_MS = 200

// The number of rows that one transaction adds to the queues. More rows would delay callbacks on SQLite, which has one connection.
const ROWS_PER_DISPATCH = 512

const NOTHING = { receivers: [], isMore: false }

export function createWebhookDispatcher({ outbox, webhooks, clock, holder }: DispatcherDeps): WebhookDispatcher {
  let leasedUntil = 0
  let leaseAt = 0
  let dispatchAt = 0

  async function holdLease(now: number): Promise<boolean> {
    if (now >= leaseAt) {
      const isHeld = await outbox.lease(holder, now, now + LEASE_MS)
      leasedUntil = isHeld ? now + LEASE_MS : 0
      leaseAt = now + (isHeld ? LEASE_MS / 2 : POLL_MS)
    }
    return leasedUntil > now
  }

  return {
    async dispatch() {
      const now = clock()
      if (now < dispatchAt && dispatchAt <= now + POLL_MS) return NOTHING
      dispatchAt = now + POLL_MS
      if (!(await holdLease(now))) return NOTHING
      const present = webhooks()
      const limit = Math.ceil(ROWS_PER_DISPATCH / Math.max(present.all.length, 1))
      const { receivers, isMore, heldUntil } = await outbox.dispatch(now, (...event) => route(present, ...event), limit)
      if (heldUntil !== undefined) dispatchAt = Math.min(now + HELD_MS, heldUntil)
      if (isMore) dispatchAt = 0
      return { receivers, isMore }
    },
    nextAt: () => dispatchAt,
    wake() {
      dispatchAt = 0
    },
    close: () => outbox.release(holder).catch(() => {}),
  }
}

/** The names of the receivers of an event. */
const route = (receivers: WebhookReceivers, tenant: string, type: Notice['type']): string[] =>
  receivers
    .of(tenant)
    .filter(({ types }) => types === undefined || types.includes(`binding.${type}`))
    .map(({ name }) => name)
