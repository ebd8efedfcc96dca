/** The host site's own back end, as its page calls it. */
import type { HostBinding } from '../host-site.ts'

/** What the back end knows, or why it does not. */
export type BackEndView =
  | { state: 'asking' }
  | ({ state: 'known' } & HostBinding)
  | { state: 'failed' /** A code of the bind server's; none when nobody answered. */; code: string | undefined }

const query = (user: string) => new URLSearchParams({ user })

export const tokenUrlOf = (user: string) => `host/token?${query(user)}`

export const askBinding = (user: string) => call(`host/bind-info?${query(user)}`)

/** Unbinds from the back end's side and answers what it then knows. */
export const disconnect = (user: string) => call(`host/disconnect?${query(user)}`, { method: 'POST' })

async function call(path: string, init?: RequestInit): Promise<BackEndView> {
  try {
    const response = await fetch(path, init)
    const answer = await response.json()
    return response.ok ? { state: 'known', ...answer } : { state: 'failed', code: answer.code }
  } catch {
    return { state: 'failed', code: undefined }
  }
}
