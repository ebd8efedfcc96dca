/** Binds a phone's WeChat to a user without anyone's hand, by a real scan, and by whatever confirmation is asked for. */
import { confirmCode } from '../server/binding/confirmation.ts'
import type { Deps } from '../server/deps.ts'
import type { Identity } from '../server/store/store.ts'
import type { Phone } from './simulator/phone.ts'

/** Does nothing for a user who has a WeChat. What the rules refuse stays undone. */
export async function bindNow(deps: Deps, identity: Identity, phone: Phone): Promise<void> {
  const { store, tickets, events } = deps
  if ((await store.user(identity)).binding) return
  const { url } = await tickets({ identity, isRefresh: false, label: null, lang: events.lang })
  await phone.scan(url, { follow: true })
  const { confirmation } = await store.user(identity)
  if (confirmation?.confirm === 'reply') await phone.sendText('确认绑定')
  if (confirmation?.digits) await confirmCode(deps, identity, confirmation.digits)
}
