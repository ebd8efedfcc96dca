/** Binds a simulated phone to a user without interaction. It scans, follows and confirms as the settings require. */
import { confirmCode } from '../server/binding/confirmation.ts'
import type { Deps } from '../server/deps.ts'
import type { Identity } from '../server/store/store.ts'
import type { Phone } from './simulator/phone.ts'

/** Returns whether the phone's WeChat is now bound to the user. Does nothing if the user is bound, or if the rules reject the binding. */
export async function autoBind(deps: Deps, identity: Identity, phone: Phone): Promise<boolean> {
  const { store, tickets, events } = deps
  const { binding: current } = await store.user(identity)
  if (current) return current.openid === phone.openid
  const { url } = await tickets({ identity, isRefresh: false, label: null, lang: events.lang, isPage: false })
  await phone.scan(url, { follow: true })
  const { confirmation } = await store.user(identity)
  if (confirmation?.confirm === 'reply') await phone.sendText('确认绑定')
  if (confirmation?.digits) await confirmCode(deps, identity, confirmation.digits)
  return (await store.user(identity)).binding?.openid === phone.openid
}
