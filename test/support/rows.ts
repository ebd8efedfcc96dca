/** Values for the store, where a test does not care. */
import { openStore } from '../../server/store/open-store.ts'
import type { Binding, NewTicket, Store, User } from '../../server/store/store.ts'

/** A ticket whose scene is `wb1_<name>`, good for an hour. */
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

// A write has 3 s, also on a machine that does other things.
const A_WRITE = 50

/** One ticket each for the users `u0`, `u1` ..., whose scenes are `wb1_u0` and so on: no WeChat is asked for them. */
export async function seedTickets(databaseUrl: string, appId: string, users: number): Promise<void> {
  const store = await openStore(databaseUrl, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  for (let first = 0; first < users; first += A_WRITE) {
    await store.write(function* (tx) {
      for (let i = first; i < Math.min(first + A_WRITE, users); i++) {
        const identity = { tenant: 'default', account: 'acme', userId: `u${i}` }
        yield* tx.addTicket(identity, newTicket(`u${i}`, { appId }), false)
      }
    })
  }
  await store.close()
}

/** A user known to the store, by one ticket. */
export async function addUser(store: Store, identity: User['identity'], name = identity.userId): Promise<number> {
  return (await store.write((tx) => tx.addTicket(identity, newTicket(name), false))).user
}

/** One change more of this user. */
export function bindTo(store: Store, user: number, openid: string, appId?: string): Promise<void> {
  const change = { type: 'bind', user, binding: newBinding(openid, appId), reason: 'scan', at: Date.now() } as const
  return store.write((tx) => tx.apply(change))
}
