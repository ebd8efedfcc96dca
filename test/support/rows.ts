/** Default values for rows of the store, for tests that do not depend on them. */
import { openStore } from '../../server/store/open-store.ts'
import type { Binding, NewTicket, Store, User } from '../../server/store/store.ts'

/** Returns a ticket that has the scene `wb1_<name>` and expires in an hour. */
export function newTicket(name: string, more: Partial<NewTicket> = {}): NewTicket {
  const createdAt = Date.now()
  return {
    appId: 'wx1',
    scene: `wb1_${name}`,
    code: name.toUpperCase(),
    wechatTicket: `ticket-${name}`,
    url: `http://weixin.qq.com/q/${name}`,
    label: null,
    lang: 'en',
    createdAt,
    expiresAt: createdAt + 3_600_000,
    ...more,
  }
}

export const newBinding = (openid: string, appId = 'wx1'): Binding => ({
  appId,
  openid,
  unionid: null,
  subscribed: true,
  boundAt: Date.now(),
  eventTime: Math.floor(Date.now() / 1000),
  label: null,
  lang: 'en',
})

// The number of tickets for one write. Even a busy machine adds them within the time limit of 3 s.
const TICKETS_PER_WRITE = 50

/**
 * Adds one ticket for each of the users `u0`, `u1` …, without a request to WeChat. The scenes are `wb1_u0`, `wb1_u1` ….
 */
export async function seedTickets(databaseUrl: string, appId: string, users: number): Promise<void> {
  const store = await openStore(databaseUrl, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  for (let first = 0; first < users; first += TICKETS_PER_WRITE) {
    await store.write(function* (tx) {
      for (let i = first; i < Math.min(first + TICKETS_PER_WRITE, users); i++) {
        const identity = { tenant: 'default', account: 'acme', userId: `u${i}` }
        yield* tx.addTicket(identity, newTicket(`u${i}`, { appId }), false)
      }
    })
  }
  await store.close()
}

/** Adds a user by adding a ticket. Returns the id of the user. */
export async function addUser(store: Store, identity: User['identity'], name = identity.userId): Promise<number> {
  return (await store.write((tx) => tx.addTicket(identity, newTicket(name), false))).user
}

/** Binds the user. This increases the user's version by 1. */
export function bindTo(store: Store, user: number, openid: string, appId?: string): Promise<void> {
  const change = { type: 'bind', user, binding: newBinding(openid, appId), reason: 'scan', at: Date.now() } as const
  return store.write((tx) => tx.apply(change))
}
