/** The client of the host site's back end. */
import type { HostBinding } from '../host-site.ts'
import { visitorPath } from './visitor.ts'

/** The binding that the back end has returned, or the reason why the binding is unknown. */
export type BackEndView =
  | { state: 'loading' }
  | ({ state: 'known' } & HostBinding)
  /** `code` is the bind server's error code. It is undefined if there was no response. */
  | { state: 'failed'; code: string | undefined }

const query = (user: string) => new URLSearchParams({ user })

export const tokenUrlOf = (user: string) => `${visitorPath}/host/token?${query(user)}`

export const fetchBinding = (user: string) => call(`${visitorPath}/host/bind-info?${query(user)}`)

/** Unbinds through the back end and returns the new state. */
export const disconnect = (user: string) => call(`${visitorPath}/host/disconnect?${query(user)}`, { method: 'POST' })

async function call(path: string, init?: RequestInit): Promise<BackEndView> {
  try {
    const response = await fetch(path, init)
    const answer = await response.json()
    return response.ok ? { state: 'known', ...answer } : { state: 'failed', code: answer.code }
  } catch {
    return { state: 'failed', code: undefined }
  }
}
