/** The test users: each behaves in its one way by itself, so that a host site's own tests need no phone and no clock. */
import { createHash } from 'node:crypto'
import type { TestUser } from '../server/binding/test-users.ts'
import { createTickets, type Tickets } from '../server/binding/tickets.ts'
import type { Config } from '../server/config/config.ts'
import type { Deps } from '../server/deps.ts'
import type { Plan } from '../server/store/plan.ts'
import type { Claimable, CommitNotice, Identity, Store, Tx, User } from '../server/store/store.ts'
import { bindNow } from './auto-bind.ts'
import type { Delay } from './simulator/faults.ts'
import type { Simulator } from './simulator/simulator.ts'

const SLOW_MS = 3_000
const EXPIRES_MS = 3_000
const STAYS_MS = 3_000

const isThe = (userId: TestUser, identity: Identity) => identity.userId === userId

export function createMagicUsers({
  simulator,
  delay,
  signal,
}: {
  simulator: Simulator
  delay: Delay
  signal: AbortSignal
}) {
  /** `test-unsubscribes`: who was bound leaves the account 3 s later. */
  async function leaveSoon({ openid }: NonNullable<User['binding']>): Promise<void> {
    await delay(STAYS_MS, signal)
    await simulator.phones.find((phone) => phone.openid === openid)?.unfollow()
  }

  return {
    /** Before the bind server sees a request for this user. `test-always-bound`: whoever asks finds it bound. */
    async prepare(deps: Deps, identity: Identity): Promise<void> {
      if (isThe('test-slow', identity)) await delay(SLOW_MS, signal)
      if (isThe('test-always-bound', identity)) await bindNow(deps, identity, simulator.phone(robotOf(identity)))
    },

    async heed({ store }: Deps, notice: CommitNotice): Promise<void> {
      if (notice === 'missed' || !isThe('test-unsubscribes', notice.identity)) return
      const { binding } = await store.user(notice.identity)
      if (binding) await leaveSoon(binding)
    },

    /** `test-expires`: its codes last 3 s. */
    tickets({ store, wechat, clock, tickets }: Deps, config: Config, appId: string): Tickets {
      const short = createTickets({ ...config, ticketTtlMs: EXPIRES_MS, store, wechat, clock, appId })
      return (request) => (isThe('test-expires', request.identity) ? short(request) : tickets(request))
    },
  }
}

/** One for each account that asks: a WeChat is bound to one user only. */
const robotOf = ({ tenant, account }: Identity) =>
  `robot-${createHash('sha256')
    .update(JSON.stringify([tenant, account]))
    .digest('hex')
    .slice(0, 12)}`

/** `test-conflict`: to each scan of its codes the store says that this WeChat is another user's. */
export function withRival(store: Store): Store {
  return { ...store, write: (work) => store.write((tx) => work(tellingOfRival(tx))) }
}

function tellingOfRival(tx: Tx): Tx {
  let rival: User | undefined

  function* noting(found: Plan<Claimable | undefined>): Plan<Claimable | undefined> {
    const claimable = yield* found
    const owner = claimable?.user
    if (owner && isThe('test-conflict', owner.identity)) {
      rival = { ...owner, id: 0, identity: { ...owner.identity, userId: 'someone-else' } }
    }
    return claimable
  }

  const telling: Partial<Tx> = {
    ticketByScene: (scene) => noting(tx.ticketByScene(scene)),
    ticketByCode: (...args) => noting(tx.ticketByCode(...args)),
    *ownersOf(...args) {
      return [...(yield* tx.ownersOf(...args)), ...(rival ? [rival] : [])]
    },
  }
  // Not spread: its methods are its class's.
  return new Proxy(tx, {
    get: (_, name: keyof Tx) => telling[name] ?? (tx[name] as (...args: unknown[]) => unknown).bind(tx),
  })
}
