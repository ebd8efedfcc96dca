/**
 * The behaviour of the test users (`test-slow`, `test-always-bound`, ...). The test users act automatically, so the
 * tests of a host site need no phone and no control over the clock.
 */
import { createHash } from 'node:crypto'
import { createQrcodePool } from '../server/binding/qrcode-pool.ts'
import type { TestUser } from '../server/binding/test-users.ts'
import { createTickets, type Tickets } from '../server/binding/tickets.ts'
import type { Config } from '../server/config/config.ts'
import type { Deps } from '../server/deps.ts'
import { systemTimer } from '../server/platform.ts'
import type { Plan } from '../server/store/plan.ts'
import type { Claimable, CommitNotice, Identity, Store, Tx, User } from '../server/store/store.ts'
import { autoBind } from './auto-bind.ts'
import type { Delay } from './simulator/faults.ts'
import type { Simulator } from './simulator/simulator.ts'

const SLOW_MS = 3_000
const EXPIRES_MS = 3_000
const UNFOLLOW_AFTER_MS = 3_000

const isTestUser = (userId: TestUser, identity: Identity) => identity.userId === userId

export function createTestUsers({
  simulator,
  delay,
  signal,
}: {
  simulator: Simulator
  delay: Delay
  signal: AbortSignal
}) {
  /** `test-unsubscribes`: unfollows the account 3 s after binding. */
  async function unfollowLater({ openid }: NonNullable<User['binding']>): Promise<void> {
    await delay(UNFOLLOW_AFTER_MS, signal)
    await simulator.phones.find((phone) => phone.openid === openid)?.unfollow()
  }

  return {
    /**
     * Runs before the bind server receives a request for this user. For `test-slow` the function waits. For
     * `test-always-bound` it binds the user.
     */
    async prepare(deps: Deps, identity: Identity): Promise<void> {
      if (isTestUser('test-slow', identity)) await delay(SLOW_MS, signal)
      if (isTestUser('test-always-bound', identity))
        await autoBind(deps, identity, simulator.phone(phoneNameOf(identity)))
    },

    async onCommit({ store }: Deps, notice: CommitNotice): Promise<void> {
      if (notice === 'missed' || !isTestUser('test-unsubscribes', notice.identity)) return
      const { binding } = await store.user(notice.identity)
      if (binding) await unfollowLater(binding)
    },

    /** `test-expires`: the QR codes of this user are valid for 3 s. */
    tickets({ store, wechat, clock, tickets, metrics }: Deps, config: Config, appId: string): Tickets {
      const settings = { ...config, ticketTtlMs: EXPIRES_MS, qrReady: 0, clock }
      const qrcodes = createQrcodePool({
        ...settings,
        wechat,
        setTimer: systemTimer,
        onTake: metrics.countQrcode,
        onUnused() {},
      })
      const short = createTickets({ ...settings, store, qrcodes, appId })
      return (request) => (isTestUser('test-expires', request.identity) ? short(request) : tickets(request))
    },
  }
}

/** Each account has its own phone, because a WeChat account can be bound to only one user. */
const phoneNameOf = ({ tenant, account }: Identity) =>
  `robot-${createHash('sha256')
    .update(JSON.stringify([tenant, account]))
    .digest('hex')
    .slice(0, 12)}`

/**
 * `test-conflict`: for each scan of this user's QR codes, the store reports that the WeChat account is bound to another
 * user.
 */
export function withOtherOwner(store: Store): Store {
  return { ...store, write: (work) => store.write((tx) => work(withOtherOwnerIn(tx))) }
}

function withOtherOwnerIn(tx: Tx): Tx {
  let otherOwner: User | undefined

  function* rememberOwner(found: Plan<Claimable | undefined>): Plan<Claimable | undefined> {
    const claimable = yield* found
    const owner = claimable?.user
    if (owner && isTestUser('test-conflict', owner.identity)) {
      otherOwner = { ...owner, id: 0, identity: { ...owner.identity, userId: 'someone-else' } }
    }
    return claimable
  }

  const overrides: Partial<Tx> = {
    ticketByScene: (scene) => rememberOwner(tx.ticketByScene(scene)),
    ticketByCode: (...args) => rememberOwner(tx.ticketByCode(...args)),
    *ownersOf(...args) {
      return [...(yield* tx.ownersOf(...args)), ...(otherOwner ? [otherOwner] : [])]
    },
  }
  // `tx` is wrapped in a proxy, because spreading `tx` would lose the methods of its class.
  return new Proxy(tx, {
    get: (_, name: keyof Tx) => overrides[name] ?? (tx[name] as (...args: unknown[]) => unknown).bind(tx),
  })
}
